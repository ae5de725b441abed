import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** An order whose payment is authorised. */
async function authorized(cardToken?: string) {
  const order = shop.reserved(cardToken)
  await shop.authorize(order).catch(() => shop.authorize(order))
  return order
}

describe('capture-payment', () => {
  it('captures what is authorised', async () => {
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

  it('tells that the capture failed, and then the authorisation can be given back', async () => {
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

  it('captures once where it is delivered again, and ten times at once', async () => {
    const order = await authorized()
    const id = uuidv7()
    await Promise.all(Array.from({ length: 10 }, (_, i) => shop.capture(order, i < 5 ? id : undefined)))
    await shop.capture(order, id)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture'])
  })

  it('fails while the provider cannot be reached, and captures once it can', async () => {
    const order = await authorized()
    await shop.sandbox.stop()
    await expect(shop.capture(order)).rejects.toThrow('payment provider')
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'capturing', captured: 0 })
    await shop.sandbox.start()
    await shop.capture(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
  })

  it('is tried again later where there is no payment yet', async () => {
    const order = shop.reserved()
    await expect(shop.capture(order)).rejects.toThrow('before its payment is authorised')
    await shop.authorize(order)
    await shop.capture(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
  })

  it.each(['card_approved', 'card_declined'])(
    'has the parcel called back where the payment of %s has ended without it',
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
