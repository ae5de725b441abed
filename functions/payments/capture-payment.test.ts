import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Unavailable } from '../shared/store/store-errors.ts'
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

describe('capture-payment, of parcels', () => {
  const parcel = (number: number, amount: number, last = false) => ({
    parcelId: uuidv7(),
    number,
    amount,
    last,
  })
  const captures = async (order: { orderId: string }) =>
    (await shop.emitted(order.orderId))
      .filter(({ type }) => type === 'payment.captured')
      .map(({ data }) => data as { parcelId: string; amount: object; captured: object })
  const eur = (amount: number) => ({ amount, currency: 'EUR' })

  it('captures what each costs, until all is captured', async () => {
    const order = await authorized()
    const parcels = [parcel(1, 1000), parcel(2, 300), parcel(3, 1200, true)] as const
    await shop.ship(order, parcels[0])
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'partly_captured', captured: 1000 })
    await shop.ship(order, parcels[1])
    await shop.ship(order, parcels[2])
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', captured: 2500 })
    expect(await captures(order)).toMatchObject([
      { parcelId: parcels[0].parcelId, amount: eur(1000), captured: eur(1000) },
      { parcelId: parcels[1].parcelId, amount: eur(300), captured: eur(1300) },
      { parcelId: parcels[2].parcelId, amount: eur(1200), captured: eur(2500) },
    ])
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'capture', 'capture'])
  })

  it('is tried until the other one is paid, however long the provider is away', async () => {
    const order = await authorized('card_flaky')
    const [first, second] = [parcel(1, 1000), parcel(2, 1500, true)]
    await expect(shop.ship(order, first)).rejects.toThrow('503')
    await expect(shop.ship(order, second)).rejects.toBeInstanceOf(Unavailable)
    await shop.ship(order, first)
    await shop.ship(order, second).catch(() => shop.ship(order, second))
    expect(await captures(order)).toMatchObject([{ amount: eur(1000) }, { amount: eur(1500) }])
  })

  it.each(['card_timeout', 'card_flaky'])('captures each of %s once', async (card) => {
    const order = await authorized(card)
    for (const one of [parcel(1, 1000), parcel(2, 1500, true)])
      await shop.ship(order, one).catch(() => shop.ship(order, one))
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'captured'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'capture'])
  })

  it('captures each once for repeated and concurrent deliveries, one after the other', async () => {
    const order = await authorized()
    const parcels = [parcel(1, 1000), parcel(2, 1500, true)]
    /** Delivers until it is taken, as the dispatcher does. */
    const deliver = async (one: (typeof parcels)[number], id: string): Promise<unknown> =>
      shop.ship(order, one, id).catch(() => deliver(one, id))
    await Promise.all(parcels.flatMap((one) => [uuidv7(), uuidv7()].map((id) => deliver(one, id))))
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'captured'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'capture'])
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ captured: 2500, capturing: 0 })
  })

  it('never captures more than is authorised', async () => {
    const order = await authorized()
    await shop.ship(order, parcel(1, 2400))
    await shop.ship(order, parcel(2, 2400, true))
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', captured: 2500 })
  })

  it('captures the rest if the order is shipped as a whole at the same time', async () => {
    const order = await authorized()
    const one = parcel(1, 1000)
    await shop.ship(order, one)
    await shop.capture(order)
    await shop.ship(order, parcel(2, 1500, true))
    expect(await captures(order)).toMatchObject([
      { parcelId: one.parcelId, amount: eur(1000) },
      { amount: eur(1500), captured: eur(2500) },
    ])
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'captured'])
  })

  it('asks nobody for a parcel that costs nothing', async () => {
    const order = await authorized()
    await shop.ship(order, parcel(1, 0))
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'partly_captured', captured: 0 })
    await shop.ship(order, parcel(2, 2500, true))
    expect(await shop.done(order)).toEqual(['authorize', 'capture'])
    expect(await captures(order)).toMatchObject([{ amount: eur(0) }, { captured: eur(2500) }])
  })

  it('tells which parcel could not be paid; the rest is given back, and what is kept stays paid', async () => {
    const order = await authorized('card_second_capture_fails')
    const [first, second] = [parcel(1, 1000), parcel(2, 1500, true)]
    await shop.ship(order, first)
    await shop.ship(order, second)
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
      type: 'payment.capture-failed',
      data: { parcelId: second.parcelId, reason: 'the issuer refuses a second capture' },
    })
    await shop.cancel(order, undefined, [{ parcelId: first.parcelId, items: [{ sku: 'MUG', quantity: 1 }] }])
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'captured',
      captured: 1000,
      refunded: 0,
    })
    const voided = (await shop.emitted(order.orderId)).find(({ type }) => type === 'payment.voided')
    expect(voided?.data).toMatchObject({ amount: eur(1500) })
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'void'])
  })

  it('gives all back if nothing is kept of a cancelled order', async () => {
    const order = await authorized()
    await shop.ship(order, parcel(1, 1000))
    await shop.cancel(order)
    await shop.cancel(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'refunded',
      captured: 1000,
      refunded: 1000,
    })
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'void', 'refund'])
    expect(await shop.told(order)).toEqual([
      'authorized',
      'captured',
      'refund.requested',
      'voided',
      'refunded',
    ])
    // a parcel that is shipped all the same is not paid
    await shop.ship(order, parcel(2, 1500, true))
    expect((await shop.emitted(order.orderId)).at(-1)?.type).toBe('payment.capture-failed')
  })

  it('lets staff refund what is captured while the rest waits, and no more', async () => {
    const order = await authorized()
    await shop.ship(order, parcel(1, 1000))
    const { id } = await shop.paymentOf(order.orderId)
    const refund = (amount: number) =>
      shop.post(`/payments/${id}/refunds`, { as: 'staff', body: { amount, reason: 'scratched' } })
    expect((await refund(1001)).status).toBe(409)
    expect((await refund(600)).status).toBe(201)
    await shop.ship(order, parcel(2, 1500, true))
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ captured: 2500, refunded: 600 })
  })
})
