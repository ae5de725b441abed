import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** Returns the event that pieces of an order came back. */
const came = ({ orderId, customerId }: { orderId: string; customerId: string }, amount: number) => {
  const returnId = uuidv7()
  const cost = { net: amount, taxRate: 0, tax: 0, gross: amount }
  return shop.eventOf('return.received', {
    returnId,
    orderId,
    customerId,
    items: [{ sku: 'MUG', quantity: 1, restock: true, ...cost }],
    refund: { amount, currency: 'EUR' },
  })
}
const refundsIn = async (orderId: string) =>
  (await shop.emitted(orderId)).flatMap(({ type, data }) => (type === 'payment.refunded' ? [data] : []))

describe('refund-return', () => {
  it('refunds what the pieces cost, once for each return', async () => {
    const { order, payment } = await shop.captured()
    const event = came(order, 900)
    await shop.handle('refund-return', event)
    await shop.handle('refund-return', event)
    // told by another event of the same return
    await shop.handle('refund-return', { ...event, id: uuidv7() })
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', refunded: 900 })
    expect(await refundsIn(order.orderId)).toEqual([
      {
        orderId: order.orderId,
        paymentId: payment.id,
        amount: { amount: 900, currency: 'EUR' },
        refundId: expect.any(String),
        returnId: event.data.returnId,
      },
    ])
    const { body } = await shop.get(`/payments/${payment.id}/refunds`, { as: 'staff' })
    expect(body.items).toMatchObject([{ status: 'done', reason: 'pieces came back' }])
    expect(shop.securityLog.at(-1)).toMatchObject({ event: 'payment-refunded', amount: 900 })
    await shop.handle('refund-return', came(order, 1600))
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'refunded', refunded: 2500 })
  })

  it('refunds only what is left after earlier refunds, and nothing if nothing is left', async () => {
    const { order, payment } = await shop.captured()
    const body = { amount: 2000, reason: 'late' }
    await shop.post(`/payments/${payment.id}/refunds`, { as: 'staff', body })
    await shop.handle('refund-return', came(order, 900))
    await shop.handle('refund-return', came(order, 900))
    expect((await refundsIn(order.orderId)).map((data) => (data as { amount: unknown }).amount)).toEqual([
      { amount: 2000, currency: 'EUR' },
      { amount: 500, currency: 'EUR' },
    ])
  })

  it('waits until the payment is captured', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    await expect(shop.handle('refund-return', came(order, 900))).rejects.toThrow('is not captured yet')
    await expect(shop.handle('refund-return', came(shop.reserved(), 900))).rejects.toThrow('not captured')
  })

  it('refunds nothing of a payment that was given back', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    await shop.cancel(order)
    await shop.handle('refund-return', came(order, 900))
    expect(await refundsIn(order.orderId)).toEqual([])
  })

  it('goes on after a crash, with the same refund', async () => {
    const { order } = await shop.captured()
    const deps = shop.deps('payments')
    const { provider } = deps
    deps.provider = {
      ...provider,
      refund: async (...request) => {
        await provider.refund(...request)
        throw new Error('killed')
      },
    }
    const event = came(order, 900)
    await expect(shop.handle('refund-return', event)).rejects.toThrow('killed')
    deps.provider = provider
    await shop.handle('refund-return', event)
    expect(await refundsIn(order.orderId)).toHaveLength(1)
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'refund'])
  })
})
