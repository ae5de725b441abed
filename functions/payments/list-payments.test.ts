import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** Creates a customer with a payment by each of these cards. Returns the user and the ids of the orders. */
async function customerWith(...cards: string[]) {
  const user = shop.newUser()
  const orders: string[] = []
  for (const card of cards) {
    const order = { ...shop.reserved(card), customerId: user.id }
    await shop.authorize(order)
    orders.push(order.orderId)
  }
  return { user, orders }
}

const ordersOf = ({ body }: { body: { items: { orderId: string }[] } }) => body.items.map((i) => i.orderId)

describe('list-payments', () => {
  it('returns the customer’s own payments, newest first', async () => {
    const { user, orders } = await customerWith('card_approved', 'card_declined', 'card_approved')
    await customerWith('card_approved')
    const answer = await shop.get('/payments', { as: user })
    expect(answer.status).toBe(200)
    expect(ordersOf(answer)).toEqual(orders.toReversed())
    expect(answer.body.next).toBeUndefined()
  })

  it.each(['staff', 'admin'] as const)('returns everyone’s payments to %s', async (as) => {
    const one = await customerWith('card_approved')
    const other = await customerWith('card_approved')
    const answer = await shop.get('/payments?limit=2', { as })
    expect(ordersOf(answer)).toEqual([other.orders[0], one.orders[0]])
  })

  it('filters by order and by status', async () => {
    const { user, orders } = await customerWith('card_approved', 'card_declined')
    expect(ordersOf(await shop.get(`/payments?orderId=${orders[0]}`, { as: user }))).toEqual([orders[0]])
    expect(ordersOf(await shop.get('/payments?status=declined', { as: user }))).toEqual([orders[1]])
    expect(ordersOf(await shop.get(`/payments?orderId=${orders[0]}`, { as: shop.newUser() }))).toEqual([])
  })

  it('pages with a cursor and a Link', async () => {
    const { user, orders } = await customerWith('card_approved', 'card_approved', 'card_approved')
    const first = await shop.get('/payments?limit=2', { as: user })
    expect(ordersOf(first)).toEqual([orders[2], orders[1]])
    expect(first.headers.get('link')).toBe(`</api/v1/payments?limit=2&cursor=${first.body.next}>; rel="next"`)
    const second = await shop.get(`/payments?limit=2&cursor=${first.body.next}`, { as: user })
    expect(ordersOf(second)).toEqual([orders[0]])
    expect(second.headers.get('link')).toBeNull()
  })

  it('leaves out orders that were cancelled before a payment was requested', async () => {
    const order = shop.reserved()
    await shop.cancel(order)
    expect(ordersOf(await shop.get(`/payments?orderId=${order.orderId}`, { as: 'staff' }))).toEqual([])
  })

  it.each([
    ['limit=0', '/query/limit'],
    ['limit=101', '/query/limit'],
    ['status=paid', '/query/status'],
    ['orderId=1', '/query/orderId'],
    ['cursor=abc', '/query/cursor'],
    [`customerId=${uuidv7()}`, '/query/customerId'],
  ])('rejects %s', async (query, pointer) => {
    expect(await shop.get(`/payments?${query}`, { as: 'customer' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer }] },
    })
  })

  it('requires a login', async () => {
    expect((await shop.get('/payments')).status).toBe(401)
  })
})
