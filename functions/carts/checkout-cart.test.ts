import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCartShop, quantitiesOf, type CartShop } from '../../test/carts.ts'
import { expectOwnProblem, expectProblem } from '../../test/problems.ts'
import type { EventData } from '../../events/event.ts'
import { orders, products } from '../orders/order.ts'
import type { User } from '../shared/auth/access-token.ts'
import { checkout } from './fixtures.ts'

let shop: CartShop
beforeAll(async () => {
  shop = await openCartShop()
  await shop.sell(['MUG', 900], ['SAW', 2000])
})
afterAll(() => shop.close())

const eur = (amount: number) => ({ amount, currency: 'EUR' })

const checkOut = (as: User, body: object = checkout(), key: string = randomUUID()) =>
  shop.post('/carts/current/checkout', { as, body, key })

const ordersOf = ({ id }: User) =>
  shop.deps('orders').db.select().from(orders).where(eq(orders.customerId, id))

/** Returns a new customer with mugs in the cart. */
async function customer(quantity = 1): Promise<User> {
  const user = shop.newUser()
  await shop.put('MUG', quantity, user)
  return user
}

/** Delivers the event of the order that was made from a user's cart. */
async function deliver(user: User) {
  const [order] = await ordersOf(user)
  const event = (await shop.emitted(order!.id)).find(({ type }) => type === 'cart.ordered')!
  await shop.react('empty-cart', 'cart.ordered', event.data as EventData<'cart.ordered'>, event.id)
}

/** Tells carts and orders of the second version of a product. */
async function changed<T extends 'product.updated' | 'product.deleted'>(
  type: T,
  data: Omit<EventData<T>, 'productId' | 'version'>,
) {
  const told = { ...data, productId: uuidv7(), version: 2 } as EventData<T>
  await shop.react('project-price', type, told)
  await shop.react('project-product', type, told)
}

/** Checks out, but the answer of create-order never comes. */
const interrupted = async (user: User, body: object, key: string) =>
  expect(await shop.cutting('/api/v1/orders', () => checkOut(user, body, key))).toMatchObject({
    status: 503,
    body: {
      detail: 'Whether the order is placed is not known. Send the same request again: it is placed once.',
    },
  })

describe('a checkout', () => {
  it('places the order like create-order, and empties the cart', async () => {
    const user = await customer(2)
    await shop.put('SAW', 1, user)
    const body = { ...checkout(eur(3800)), note: 'ring twice', expectedTotal: eur(3800) }
    const answer = await checkOut(user, body)
    expect(answer).toMatchObject({
      status: 201,
      body: {
        customerId: user.id,
        status: 'placed',
        total: eur(3800),
        note: 'ring twice',
        deliveryAddress: body.deliveryAddress,
      },
    })
    expect(quantitiesOf(answer)).toEqual({ MUG: 2, SAW: 1 })
    expect(answer.headers.get('location')).toBe(`/api/v1/orders/${answer.body.id}`)
    expect(answer.headers.get('etag')).toBe('"1"')
    expect((await shop.get(`/orders/${answer.body.id}`, { as: user })).body).toEqual(answer.body)
    expect((await shop.cart(user)).body.lines).toEqual([])
    const emitted = await shop.emitted(answer.body.id)
    expect(emitted.map(({ type }) => type)).toEqual(['order.placed', 'cart.ordered'])
    expect(emitted[1]!.data).toMatchObject({
      customerId: user.id,
      lines: [
        { sku: 'MUG', quantity: 2 },
        { sku: 'SAW', quantity: 1 },
      ],
    })
  })

  it('merges the cart that the customer had as a guest', async () => {
    const user = shop.newUser()
    const token = (await shop.put('MUG', 1)).headers.get('cart-token')!
    const body = checkout()
    const answer = await shop.post('/carts/current/checkout', {
      as: user,
      body,
      headers: { 'cart-token': token },
    })
    expect([answer.status, quantitiesOf(answer)]).toEqual([201, { MUG: 1 }])
  })

  it('needs something in the cart', async () =>
    expectOwnProblem(
      await checkOut(shop.newUser()),
      'cart-empty',
      [409, 'The cart is empty'],
      'Put something into the cart first.',
    ))

  it('is refused if the cart costs something else than the customer saw', async () => {
    const user = await customer(2)
    const key = randomUUID()
    const refused = await checkOut(user, checkout(eur(1700)), key)
    expect(refused).toMatchObject({
      status: 409,
      body: {
        type: 'https://zeroshop.dev/problems/cart-changed',
        detail: 'The customer expects 17.00 EUR, but the products cost 18.00 EUR now. Show the cart again.',
        errors: [{ pointer: '/body/expectedSubtotal', detail: 'the products cost 18.00 EUR now' }],
        lines: [{ sku: 'MUG', unitPrice: 900 }],
        subtotal: eur(1800),
      },
    })
    expect(await ordersOf(user)).toEqual([])
    // the key is still free
    expect((await checkOut(user, checkout(refused.body.subtotal), key)).status).toBe(201)
  })

  it('compares with the prices of today, whatever they were when the products were added', async () => {
    const user = shop.newUser()
    await shop.sell(['TENT', 500])
    await shop.put('TENT', 2, user)
    await changed('product.updated', { sku: 'TENT', name: 'Tent', price: eur(600), sellerId: uuidv7() })
    expect(await checkOut(user, checkout(eur(1000)))).toMatchObject({
      status: 409,
      body: {
        type: 'https://zeroshop.dev/problems/cart-changed',
        lines: [{ sku: 'TENT', unitPrice: 600 }],
        subtotal: eur(1200),
      },
    })
    expect(await ordersOf(user)).toEqual([])
    const placed = await checkOut(user, checkout(eur(1200)))
    expect(placed).toMatchObject({ status: 201, body: { total: eur(1200) } })
  })

  it('passes on that a price has changed which the cart does not know yet', async () => {
    const user = shop.newUser()
    await shop.sell(['LAMP', 300])
    await shop.put('LAMP', 2, user)
    const key = randomUUID()
    const put = (price: number) =>
      shop.deps('orders').db.update(products).set({ priceAmount: price }).where(eq(products.sku, 'LAMP'))
    await put(400)
    expect(await checkOut(user, checkout(eur(600)), key)).toMatchObject({
      status: 409,
      body: {
        type: 'https://zeroshop.dev/problems/price-changed',
        lines: [{ sku: 'LAMP', unitPrice: 400 }],
        total: eur(800),
      },
    })
    expect(quantitiesOf(await shop.cart(user))).toEqual({ LAMP: 2 })
    await put(300)
    expect((await checkOut(user, { ...checkout(eur(600)), note: 'another' }, key)).status).toBe(201)
  })

  it('redeems coupons like create-order, and passes on what is wrong with them', async () => {
    const user = await customer(2)
    const code = `CART-${randomUUID().slice(0, 8)}`.toUpperCase()
    const key = randomUUID()
    const body = { ...checkout(eur(1800)), couponCodes: [code] }
    expect(await checkOut(user, body, key)).toMatchObject({
      status: 422,
      body: { type: 'https://zeroshop.dev/problems/unknown-coupon' },
    })
    await shop.create('/coupons', { as: 'staff', body: { code, discount: { percent: 50 } } })
    const placed = await checkOut(user, body, key)
    expect(placed).toMatchObject({ status: 201, body: { total: eur(900) } })
    const again = await checkOut(user, body, key)
    expect([again.status, again.text]).toEqual([201, placed.text])
  })

  it('is refused if a product is gone', async () => {
    const user = await customer()
    await shop.sell(['POT', 300])
    await shop.put('POT', 1, user)
    await changed('product.deleted', { sku: 'POT' })
    expect(await checkOut(user)).toMatchObject({
      status: 409,
      body: {
        type: 'https://zeroshop.dev/problems/products-gone',
        detail: 'The shop no longer sells POT. Take that out of the cart.',
        skus: ['POT'],
      },
    })
  })

  it('passes on other problems of create-order', async () => {
    const user = shop.newUser()
    await shop.sell(['YACHT', 1_000_000_000])
    await shop.put('YACHT', 2, user)
    expect(await checkOut(user, checkout(eur(2_000_000_000)))).toMatchObject({
      status: 422,
      body: { type: 'https://zeroshop.dev/problems/order-too-large' },
    })
    expect(quantitiesOf(await shop.cart(user))).toEqual({ YACHT: 2 })
  })
})

describe('a cart is ordered once', () => {
  it('when the request is repeated: the first answer comes again, byte for byte', async () => {
    const user = await customer()
    const key = randomUUID()
    const first = await checkOut(user, checkout(), key)
    const again = await checkOut(user, checkout(), key)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expectProblem(
      await checkOut(user, { ...checkout(), note: 'other' }, key),
      'idempotency-key-reused',
      'Send a new key with a new request; the same key only with the very same body.',
    )
    expect(await ordersOf(user)).toHaveLength(1)
  })

  it('when a cart that was filled again is ordered, the earlier answer still comes again', async () => {
    const user = await customer()
    const key = randomUUID()
    const first = await checkOut(user, checkout(), key)
    await shop.put('MUG', 1, user)
    expect((await checkOut(user, checkout(), key)).text).toBe(first.text)
    expect(quantitiesOf(await shop.cart(user))).toEqual({ MUG: 1 })
    expect((await checkOut(user)).body.id).not.toBe(first.body.id)
    expect(await ordersOf(user)).toHaveLength(2)
  })

  it('when the button is clicked many times at once', async () => {
    const user = await customer()
    const answers = await Promise.all(Array.from({ length: 10 }, () => checkOut(user)))
    const placed = answers.filter(({ status }) => status === 201)
    expect(placed.length).toBeGreaterThan(0)
    expect(new Set(placed.map(({ body }) => body.id)).size).toBe(1)
    // the others came when it was empty already
    for (const { status, body } of answers)
      if (status !== 201) expect(body.type).toMatch(/(?:cart-empty|in-flight)$/)
    expect(await ordersOf(user)).toHaveLength(1)
    expect((await shop.cart(user)).body.lines).toEqual([])
  })

  it('when the answer of create-order was lost, and the request is repeated', async () => {
    const user = await customer()
    const key = randomUUID()
    await interrupted(user, checkout(), key)
    expect(quantitiesOf(await shop.cart(user))).toEqual({ MUG: 1 })
    const again = await checkOut(user, checkout(), key)
    expect(again.status).toBe(201)
    expect(await ordersOf(user)).toMatchObject([{ id: again.body.id }])
    expect((await shop.cart(user)).body.lines).toEqual([])
  })

  it('when the answer was lost, and the request is repeated after the event has emptied the cart', async () => {
    const user = await customer()
    const key = randomUUID()
    await interrupted(user, checkout(), key)
    for (let n = 0; n < 2; n++) await deliver(user)
    expect((await shop.cart(user)).body.lines).toEqual([])
    const again = await checkOut(user, checkout(), key)
    expect(await ordersOf(user)).toMatchObject([{ id: again.body.id }])
    // with another key, there is nothing to order
    expect((await checkOut(user)).body.type).toMatch(/cart-empty$/)
  })

  it('when the answer was lost, and the price is another at the next attempt', async () => {
    const user = shop.newUser()
    await shop.sell(['OAR', 500])
    await shop.put('OAR', 1, user)
    const key = randomUUID()
    await interrupted(user, checkout(eur(500)), key)
    await shop.react('project-price', 'product.updated', {
      productId: uuidv7(),
      sku: 'OAR',
      name: 'Oar',
      price: eur(600),
      sellerId: uuidv7(),
      version: 2,
    })
    expect((await checkOut(user, checkout(eur(500)), key)).status).toBe(201)
    expect(await ordersOf(user)).toHaveLength(1)
  })

  it('when the answer was lost, and the customer changes the cart or the request', async () => {
    const user = await customer()
    const key = randomUUID()
    await interrupted(user, checkout(), key)
    await shop.put('SAW', 1, user)
    const ordered = [
      'cart-ordered',
      [409, 'The cart was ordered before'],
      'An order was made from this cart a moment ago. See the orders; the cart will be empty soon.',
    ] as const
    for (const [body, used] of [
      [checkout(eur(2900)), randomUUID()],
      [checkout(eur(2900)), key],
      [{ ...checkout(eur(2900)), note: 'other' }, key],
    ] as const)
      expectOwnProblem(await checkOut(user, body, used), ...ordered)
    await deliver(user)
    // what was added meanwhile is still there
    expect(quantitiesOf(await shop.cart(user))).toEqual({ SAW: 1 })
    expect((await checkOut(user, checkout(eur(2000)))).status).toBe(201)
    expect(await ordersOf(user)).toHaveLength(2)
  })

  it('but an event of an order that was made from an earlier cart changes nothing', async () => {
    const user = await customer()
    await checkOut(user)
    await shop.put('MUG', 1, user)
    await deliver(user)
    expect(quantitiesOf(await shop.cart(user))).toEqual({ MUG: 1 })
  })
})
