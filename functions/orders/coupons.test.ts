import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knowProducts, newOrder, place } from '../../test/orders.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShopBehindGateway, type GatewayShop } from '../../test/gateway.ts'
import { openShop } from '../../test/shop.ts'
import { orders, type Order } from './order.ts'

/** The shop behind a gateway, through which create-order calls the coupons. */
let shop: GatewayShop

beforeAll(async () => {
  shop = await openShopBehindGateway(['orders', 'coupons'])
  await knowProducts(shop, ['MUG', 1250], ['SAW', 3999])
})
afterAll(() => shop.close())

const lines = [
  { sku: 'MUG', quantity: 2 },
  { sku: 'SAW', quantity: 1 },
]
let made = 0
const coupon = (more: object = {}): Promise<{ id: string; code: string }> =>
  shop.create('/coupons', {
    as: 'staff',
    body: { code: `COUPON-${++made}`, discount: { percent: 10 }, ...more },
  })
const redeemed = async ({ id }: { id: string }) =>
  (await shop.get(`/coupons/${id}`, { as: 'staff' })).body.redeemed as number
const body = (...couponCodes: string[]) => ({ ...newOrder(lines), couponCodes })
const eur = (amount: number) => ({ amount, currency: 'EUR' })

/** Delivers an order's events to the coupons. */
async function settle(orderId: string) {
  for (const { id, type, data } of await shop.emitted(orderId))
    if (type === 'order.discounted' || type === 'order.cancelled')
      await shop.react('settle-redemptions', type, data as never, id)
}

describe('an order with coupons', () => {
  it('shows the discount line by line, and costs less', async () => {
    const [ten, mugs] = [await coupon(), await coupon({ discount: { amount: eur(500) }, skus: ['MUG'] })]
    const order = await place(shop, shop.newUser(), body(ten.code.toLowerCase(), mugs.code))
    expect(order).toMatchObject({
      lines: [
        { sku: 'MUG', unitPrice: 1250, discount: 750, gross: 1750 },
        { sku: 'SAW', unitPrice: 3999, discount: 400, gross: 3599 },
      ],
      amounts: {
        discount: 1150,
        gross: 5349,
        coupons: [
          { code: ten.code, discount: 650 },
          { code: mugs.code, discount: 500 },
        ],
      },
      total: eur(5349),
    })
    const [placed] = await shop.emitted(order.id)
    expect(placed!.data).toMatchObject({ lines: [{ discount: 750 }, { discount: 400 }], total: eur(5349) })
    expect([await redeemed(ten), await redeemed(mugs)]).toEqual([1, 1])
  })

  it('gives them back when it is cancelled', async () => {
    const [user, once] = [shop.newUser(), await coupon({ maxPerUser: 1 })]
    const order = await place(shop, user, body(once.code))
    expect((await shop.post('/orders', { as: user, body: body(once.code) })).status).toBe(409)
    await shop.post(`/orders/${order.id}/cancellation`, { as: user, body: {} })
    await settle(order.id)
    expect(await redeemed(once)).toBe(0)
    expect((await shop.post('/orders', { as: user, body: body(once.code) })).status).toBe(201)
  })

  it.each([
    [
      'unknown-coupon',
      422,
      'The shop has no such coupon',
      () => ({ code: 'NOWHERE' }),
      'There is no coupon NOWHERE.',
    ],
    [
      'coupon-minimum',
      422,
      'The order costs less than the coupon needs',
      () => coupon({ minimum: eur(6500) }),
      'is for orders of 65.00 EUR or more, and this one is of 64.99 EUR.',
    ],
    [
      'coupon-not-for-these',
      422,
      'The coupon is not for these products',
      () => coupon({ skus: ['AXE'] }),
      'is for none of these products.',
    ],
    [
      'coupon-not-valid',
      422,
      'The coupon is not valid now',
      () => coupon({ validFrom: '2999-01-01T00:00:00Z' }),
      'is valid from 2999-01-01T00:00:00.000Z on.',
    ],
  ] as const)('is refused with %s, and writes nothing', async (name, status, title, make, detail) => {
    const user = shop.newUser()
    const { code } = await make()
    const answer = await shop.post('/orders', { as: user, body: body(code) })
    const said = answer.body.detail as string
    expect(said).toContain(detail)
    expectOwnProblem(answer, name, [status, title], said, [{ pointer: '/body/couponCodes/0', detail: said }])
    expect((await shop.get('/orders', { as: user })).body.items).toEqual([])
  })

  it('redeems nothing if it costs something else than expected', async () => {
    const [user, once, key] = [shop.newUser(), await coupon({ maxPerUser: 1 }), randomUUID()]
    const wrong = { ...body(once.code), expectedTotal: eur(6499) }
    const refused = await shop.post('/orders', { as: user, key, body: wrong })
    expect([refused.status, refused.body.total]).toEqual([409, eur(5849)])
    expect(await redeemed(once)).toBe(0)
    const right = { ...wrong, expectedTotal: refused.body.total }
    expect((await shop.post('/orders', { as: user, key, body: right })).status).toBe(201)
  })

  it('returns the first answer to a retry, even if the coupon has ended since', async () => {
    const ending = await coupon({ maxPerUser: 1 })
    const send = { as: shop.newUser(), key: randomUUID(), body: body(ending.code) }
    const first = await shop.post('/orders', send)
    await settle(first.body.id)
    await shop.post(`/coupons/${ending.id}/end`, { as: 'staff' })
    const again = await shop.post('/orders', send)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(await redeemed(ending)).toBe(1)
  })

  it('is placed once for 20 concurrent requests with one key, and redeems once', async () => {
    const [user, once] = [shop.newUser(), await coupon({ maxPerUser: 1, maxInAll: 1 })]
    const send = { as: user, key: randomUUID(), body: body(once.code) }
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.post('/orders', send)))
    // a busy machine may not answer all of them in time
    const done = answers.filter(({ status }) => status !== 503)
    expect(new Set(done.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(done[0]!.status).toBe(201)
    expect(await redeemed(once)).toBe(1)
    const placed = await shop.deps('orders').db.select().from(orders).where(eq(orders.customerId, user.id))
    expect(placed).toHaveLength(1)
  })

  it('is placed by a retry with what a first attempt has redeemed before it crashed', async () => {
    const [user, once, key] = [shop.newUser(), await coupon({ maxPerUser: 1 }), randomUUID()]
    const priced = lines.map((line, i) => ({ ...line, unitPrice: [1250, 3999][i]! }))
    const before = await shop.post('/coupon-redemptions', {
      as: user,
      body: { couponCodes: [once.code], currency: 'EUR', lines: priced, request: key },
    })
    const order = await shop.post('/orders', { as: user, key, body: body(once.code) })
    expect([order.status, order.body.id]).toEqual([201, before.body.orderId])
    expect(await redeemed(once)).toBe(1)
  })

  it('is refused with the session that has ended', async () => {
    const user = shop.newUser()
    const { code } = await coupon()
    await shop.react('end-coupon-sessions', 'session.ended', { userId: user.id, sessionIds: [user.session] })
    await expect
      .poll(async () => (await shop.post('/orders', { as: user, body: body(code) })).body.type, {
        timeout: 5_000,
      })
      .toMatch(/\/session-ended$/)
  })
})

describe('200 orders at once', () => {
  /** Places an order over HTTP. Like a good client, it retries what the busy shop could not do in time. */
  async function order(token: string, code: string): Promise<{ status: number; body: Order }> {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    }
    const send = () =>
      fetch(`${shop.url}/api/v1/orders`, { method: 'POST', headers, body: JSON.stringify(body(code)) })
    let response = await send()
    for (let retries = 0; response.status === 503 && retries < 10; retries++) response = await send()
    return { status: response.status, body: (await response.json()) as Order }
  }

  it('redeem no coupon more often than it may be, by all and by each user', async () => {
    const few = await coupon({ maxInAll: 25, maxPerUser: 2 })
    const people = Array.from({ length: 20 }, () => shop.newUser())
    const tokens = await Promise.all(people.map(shop.sign))
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => order(tokens[n % tokens.length]!, few.code)),
    )
    const placed = answers.filter(({ status }) => status === 201).map(({ body }) => body)
    expect(placed).toHaveLength(25)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(175)
    for (const { id } of people)
      expect(placed.filter(({ customerId }) => customerId === id).length).toBeLessThanOrEqual(2)
    expect(await redeemed(few)).toBe(25)
    // one that is cancelled makes room for just one
    const [first] = placed
    await shop.post(`/orders/${first!.id}/cancellation`, { as: 'staff', body: {} })
    await settle(first!.id)
    const others = await Promise.all(Array.from({ length: 5 }, () => shop.sign(shop.newUser())))
    const more = await Promise.all(others.map((token) => order(token, few.code)))
    expect(more.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409])
  }, 120_000)
})

it('cannot be placed with a coupon while the coupons cannot be reached, but without one it can', async () => {
  const alone = await openShop(['orders'], { FUNCTION_URL: 'http://127.0.0.1:9' }, { beside: shop })
  const answer = await alone.post('/orders', { as: 'customer', body: body('ANY') })
  expect(answer).toMatchObject({
    status: 503,
    body: { detail: 'Coupons cannot be redeemed just now: try again in a moment, or order without them.' },
  })
  expect(answer.headers.get('retry-after')).toBe('2')
  expect((await alone.post('/orders', { as: 'customer', body: newOrder(lines) })).status).toBe(201)
  await alone.close()
})
