import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** Returns an order whose payment is authorised. */
async function authorized(cardToken?: string) {
  const order = shop.reserved(cardToken)
  await shop.authorize(order).catch(() => shop.authorize(order))
  return order
}

describe('capture-payment', () => {
  it('captures the authorised amount', async () => {
    const order = await authorized()
    await shop.capture(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', captured: 2500 })
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
      type: 'payment.captured',
      data: { orderId: order.orderId, amount: order.total },
    })
    expect(await shop.done(order)).toEqual(['authorize', 'capture'])
  })

  it.each(['card_timeout', 'card_flaky'])('captures %s once', async (card) => {
    const order = await authorized(card)
    await shop.capture(order).catch(() => shop.capture(order))
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture'])
  })

  it('emits payment.capture-failed, after which the authorisation can be voided', async () => {
    const order = await authorized('card_capture_fails')
    await shop.capture(order)
    const reason = 'the issuer refuses the capture'
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'capture_failed',
      captured: 0,
      reason,
    })
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
      type: 'payment.capture-failed',
      data: { reason },
    })
    await shop.capture(order)
    await shop.cancel(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'voided', reason })
    expect(await shop.told(order)).toEqual(['authorized', 'capture-failed', 'voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it('captures once for repeated and concurrent deliveries', async () => {
    const order = await authorized()
    const id = uuidv7()
    await Promise.all(Array.from({ length: 10 }, (_, i) => shop.capture(order, i < 5 ? id : undefined)))
    await shop.capture(order, id)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture'])
  })

  it('fails while the provider cannot be reached, and captures when it can', async () => {
    const order = await authorized()
    await shop.sandbox.stop()
    await expect(shop.capture(order)).rejects.toThrow('payment provider')
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'capturing', captured: 0 })
    await shop.sandbox.start()
    await shop.capture(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
  })

  it('fails while there is no authorised payment, and captures when delivered again', async () => {
    const order = shop.reserved()
    await expect(shop.capture(order)).rejects.toThrow('before its payment is authorised')
    await shop.authorize(order)
    await shop.capture(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
  })

  it.each(['card_approved', 'card_declined'])(
    'emits payment.capture-failed if the payment of %s was voided or declined',
    async (card) => {
      const order = await authorized(card)
      await shop.cancel(order)
      await shop.capture(order)
      expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
        type: 'payment.capture-failed',
        data: { reason: expect.stringMatching(/^the payment is (voided|declined)$/) },
      })
      expect(await shop.done(order)).not.toContain('capture')
    },
  )
})
