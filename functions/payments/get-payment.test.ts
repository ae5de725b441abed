import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

describe('get-payment', () => {
  it('returns the customer’s own payment', async () => {
    const { order, payment } = await shop.captured()
    const answer = await shop.get(`/payments/${payment.id}`, { as: 'customer' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('etag')).toBe('"4"')
    expect(answer.body).toEqual({
      id: payment.id,
      orderId: order.orderId,
      customerId: shop.users.customer.id,
      status: 'captured',
      amount: { amount: 2500, currency: 'EUR' },
      captured: 2500,
      refunded: 0,
      refunding: 0,
      reason: null,
      createdAt: payment.createdAt.toISOString(),
      updatedAt: payment.updatedAt.toISOString(),
    })
  })

  it('returns 304 to a client that has the current version', async () => {
    const { payment } = await shop.captured()
    const headers = { 'if-none-match': '"4"' }
    expect((await shop.get(`/payments/${payment.id}`, { as: 'customer', headers })).status).toBe(304)
  })

  it.each(['staff', 'admin'] as const)('returns any payment to %s', async (as) => {
    const { payment } = await shop.captured()
    expect((await shop.get(`/payments/${payment.id}`, { as })).status).toBe(200)
  })

  it('hides someone else’s payment', async () => {
    const { payment } = await shop.captured()
    const answers = [
      await shop.get(`/payments/${payment.id}`, { as: shop.newUser() }),
      await shop.get(`/payments/${payment.id}`, { as: 'seller' }),
      await shop.get(`/payments/${uuidv7()}`, { as: 'customer' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  })

  it('shows no payment of an order that was cancelled before one was requested', async () => {
    const order = shop.reserved()
    await shop.cancel(order)
    const { id } = await shop.paymentOf(order.orderId)
    expect((await shop.get(`/payments/${id}`, { as: 'staff' })).status).toBe(404)
  })

  it('rejects an invalid id and a caller who is not logged in', async () => {
    expect(await shop.get('/payments/1', { as: 'customer' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/path/id' }] },
    })
    expect((await shop.get(`/payments/${uuidv7()}`)).status).toBe(401)
  })
})
