import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectInvalid, expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { idempotencyKeys, redemptions, type Coupon } from './coupon.ts'
import { newCoupon } from './fixtures.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['coupons'])
})
afterAll(() => shop.close())

const create = (more: object = {}): Promise<Coupon> =>
  shop.create('/coupons', { as: 'staff', body: newCoupon(more) })
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const basket = (...couponCodes: string[]) => ({
  couponCodes,
  currency: 'EUR',
  lines: [
    { sku: 'MUG', quantity: 2, unitPrice: 1250 },
    { sku: 'SAW', quantity: 1, unitPrice: 3999 },
  ],
})
const quote = (body: object, as = shop.users.customer) => shop.post('/coupon-quotes', { as, body })

describe('a coupon', () => {
  it('is created by staff, and read with its ETag', async () => {
    const body = newCoupon({ minimum: eur(2000), skus: ['mug'], maxPerUser: 1, maxInAll: 100 })
    const answer = await shop.post('/coupons', { as: 'staff', body })
    expect(answer).toMatchObject({
      status: 201,
      body: {
        code: body.code.toUpperCase(),
        discount: { percent: 10 },
        minimum: eur(2000),
        validUntil: null,
        skus: ['MUG'],
        categories: [],
        maxPerUser: 1,
        maxInAll: 100,
        redeemed: 0,
        endedAt: null,
      },
    })
    expect(answer.headers.get('location')).toBe(`/api/v1/coupons/${answer.body.id}`)
    const read = await shop.get(`/coupons/${answer.body.id}`, { as: 'admin' })
    expect([read.text, read.headers.get('etag')]).toEqual([answer.text, '"1"'])
  })

  it('has a code of its own, in any case', async () => {
    const { code } = await create()
    const body = newCoupon({ code: code.toLowerCase() })
    expectOwnProblem(
      await shop.post('/coupons', { as: 'staff', body }),
      'coupon-code-taken',
      [409, 'There is a coupon with this code'],
      `There is, or was, a coupon ${code}. Choose another code.`,
    )
  })

  it.each(['customer', 'seller'] as const)('is not for a %s to manage', async (as) => {
    const { id } = await create()
    expect((await shop.post('/coupons', { as, body: newCoupon() })).status).toBe(403)
    expect((await shop.get('/coupons', { as })).status).toBe(403)
    expect((await shop.get(`/coupons/${id}`, { as })).status).toBe(403)
    expect((await shop.patch(`/coupons/${id}`, { as, ifMatch: '*', body: { maxInAll: 1 } })).status).toBe(403)
    expect((await shop.post(`/coupons/${id}/end`, { as })).status).toBe(403)
  })

  it('is changed where it is valid, but not in what it gives', async () => {
    const { id, code } = await create({ maxInAll: 5 })
    const body = { maxInAll: null, categories: ['mugs'], validUntil: '2999-01-01T00:00:00Z' }
    const answer = await shop.patch(`/coupons/${id}`, { as: 'staff', ifMatch: '"1"', body })
    expect(answer).toMatchObject({
      status: 200,
      body: { code, maxInAll: null, categories: ['mugs'], validUntil: '2999-01-01T00:00:00.000Z' },
    })
    expect(answer.headers.get('etag')).toBe('"2"')
    expect((await shop.patch(`/coupons/${id}`, { as: 'staff', ifMatch: '"1"', body })).status).toBe(412)
    expectInvalid(
      await shop.patch(`/coupons/${id}`, { as: 'staff', ifMatch: '*', body: { discount: { percent: 90 } } }),
      { pointer: '/body/discount', detail: 'there is no such field' },
    )
    const early = { validUntil: '2020-01-01T00:00:00Z' }
    const refused = await shop.patch(`/coupons/${id}`, { as: 'staff', ifMatch: '*', body: early })
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/body/validUntil', detail: 'after validFrom' }] },
    })
  })

  it('gives nothing any more once it has ended, however often that is requested', async () => {
    const { id, code } = await create()
    expect((await quote(basket(code))).status).toBe(200)
    const first = await shop.post(`/coupons/${id}/end`, { as: 'staff' })
    expect(first.body.endedAt).toEqual(expect.any(String))
    expect((await shop.post(`/coupons/${id}/end`, { as: 'staff' })).text).toBe(first.text)
    expect((await quote(basket(code))).body.type).toMatch(/\/coupon-not-valid$/)
    const later = { validUntil: '2999-01-01T00:00:00Z' }
    const changed = await shop.patch(`/coupons/${id}`, { as: 'staff', ifMatch: '*', body: later })
    expect(changed).toMatchObject({ status: 200, body: { endedAt: first.body.endedAt } })
    expect((await quote(basket(code))).status).toBe(422)
  })

  it('is listed, newest first, by its code, and by whether it is valid', async () => {
    const [open, ended] = [await create(), await create()]
    await shop.post(`/coupons/${ended.id}/end`, { as: 'staff' })
    const list = async (query: string): Promise<string[]> =>
      (await shop.get(`/coupons?limit=100&${query}`, { as: 'staff' })).body.items.map(({ id }: Coupon) => id)
    expect((await list('')).slice(0, 2)).toEqual([ended.id, open.id])
    expect(await list(`code=${open.code.toLowerCase()}`)).toEqual([open.id])
    expect(await list('status=valid')).toContain(open.id)
    expect(await list('status=valid')).not.toContain(ended.id)
    expect(await list('status=ended')).toContain(ended.id)
    expect(await list(`status=ended&code=${open.code}`)).toEqual([])
  })
})

describe('a quote', () => {
  it('says what coupons would give, line by line, and redeems nothing', async () => {
    const [ten, five] = [await create(), await create({ discount: { amount: eur(500) }, skus: ['MUG'] })]
    // 649.9 of 6499, then 500 of what is left of the mugs
    expect(await quote(basket(ten.code, five.code))).toMatchObject({
      status: 200,
      body: {
        coupons: [
          { code: ten.code, discounts: [250, 400] },
          { code: five.code, discounts: [500, 0] },
        ],
        discount: 1150,
      },
    })
    expect((await shop.get(`/coupons/${ten.id}`, { as: 'staff' })).body.redeemed).toBe(0)
  })

  it('says which coupon there is not', async () => {
    const { code } = await create()
    expectOwnProblem(
      await quote(basket(code, 'NOWHERE')),
      'unknown-coupon',
      [422, 'The shop has no such coupon'],
      'There is no coupon NOWHERE.',
      [{ pointer: '/body/couponCodes/1', detail: 'There is no coupon NOWHERE.' }],
    )
  })

  it('takes each coupon once, and five at most', async () => {
    expectInvalid(await quote(basket('ABC', 'abc')), {
      pointer: '/body/couponCodes',
      detail: 'each coupon once',
    })
    const six = ['AAA', 'BBB', 'CCC', 'DDD', 'EEE', 'FFF']
    expectInvalid(await quote(basket(...six)), {
      pointer: '/body/couponCodes',
      detail: 'Too big: expected array to have <=5 items',
    })
  })

  it('knows the categories of products from their newest events', async () => {
    const { code } = await create({ categories: ['mugs'] })
    const product = { productId: uuidv7(), name: 'Cup', price: eur(100), sellerId: uuidv7() }
    const sku = randomUUID().toUpperCase()
    const tell = (version: number, category: string) =>
      shop.react('categorize-product', 'product.updated', { ...product, sku, category, version })
    const body = { ...basket(code), lines: [{ sku, quantity: 1, unitPrice: 1000 }] }
    await tell(2, 'mugs')
    await tell(1, 'saws')
    expect((await quote(body)).body.discount).toBe(100)
    await tell(3, 'saws')
    expect((await quote(body)).body.type).toMatch(/\/coupon-not-for-these$/)
  })

  it('cannot be had while the categories cannot be read', async () => {
    const { code } = await create({ categories: ['mugs'] })
    const body = { ...basket(code), lines: [{ sku: 'NEVER-HEARD-OF', quantity: 1, unitPrice: 1000 }] }
    expect((await quote(body)).status).toBe(503)
  })
})

describe('a redemption', () => {
  const redeem = (body: object, as = shop.users.customer) => shop.post('/coupon-redemptions', { as, body })
  const redeemedOf = async ({ id }: Coupon) =>
    (await shop.get(`/coupons/${id}`, { as: 'staff' })).body.redeemed as number
  const tell = {
    placed: (orderId: string) => shop.react('settle-redemptions', 'order.discounted', { orderId }),
    cancelled: (orderId: string) =>
      shop.react('settle-redemptions', 'order.cancelled', { orderId, reason: 'took too long' }),
    expired: (orderId: string) => shop.react('expire-redemption', 'redemption.deadline-reached', { orderId }),
  }
  /** Lets what is held for an order be due. */
  const letDue = () =>
    shop
      .deps('coupons')
      .db.update(redemptions)
      .set({ heldUntil: new Date(0) })

  it('is held for a quarter of an hour', async () => {
    const coupon = await create()
    const { body } = await redeem({ ...basket(coupon.code), request: 'a' })
    expect(body).toMatchObject({ coupons: [{ code: coupon.code, discounts: [250, 400] }], discount: 650 })
    expect(await redeemedOf(coupon)).toBe(1)
    expect(await shop.scheduled(body.orderId)).toEqual([
      { type: 'redemption.deadline-reached', data: { orderId: body.orderId }, seconds: 900 },
    ])
    // an event of an earlier attempt, which has been held longer since
    await tell.expired(body.orderId)
    expect(await redeemedOf(coupon)).toBe(1)
    await letDue()
    await tell.expired(body.orderId)
    expect(await redeemedOf(coupon)).toBe(0)
  })

  it('stays once its order is placed, and is given back when that is cancelled', async () => {
    const coupon = await create()
    const { orderId } = (await redeem({ ...basket(coupon.code), request: 'b' })).body
    await tell.placed(orderId)
    await letDue()
    await tell.expired(orderId)
    expect(await redeemedOf(coupon)).toBe(1)
    const { id } = await tell.cancelled(orderId)
    expect(await redeemedOf(coupon)).toBe(0)
    // delivered once more
    await shop.react('settle-redemptions', 'order.cancelled', { orderId, reason: 'took too long' }, id)
    await tell.placed(orderId)
    expect(await redeemedOf(coupon)).toBe(0)
  })

  it('counts again if its order turns out to be placed after all', async () => {
    const coupon = await create()
    const { orderId } = (await redeem({ ...basket(coupon.code), request: 'c' })).body
    await letDue()
    await tell.expired(orderId)
    await tell.placed(orderId)
    expect(await redeemedOf(coupon)).toBe(1)
  })

  it('ends for many orders in one transaction, with several coupons each', async () => {
    const some = [await create(), await create({ discount: { percent: 5 } })]
    const codes = some.map(({ code }) => code)
    const orders = await Promise.all(
      ['d', 'e', 'f'].map(async (request) => (await redeem({ ...basket(...codes), request })).body.orderId),
    )
    expect(await Promise.all(some.map(redeemedOf))).toEqual([3, 3])
    const events = orders.map((orderId: string) => shop.eventOf('order.cancelled', { orderId, reason: 'x' }))
    await shop.handleAll('settle-redemptions', [
      ...events,
      shop.eventOf('order.cancelled', { orderId: uuidv7(), reason: 'an order without coupons' }),
    ])
    expect(await Promise.all(some.map(redeemedOf))).toEqual([0, 0])
  })

  it('is the same for a retry, which gets the same order, and for no other coupons', async () => {
    const [coupon, other] = [await create({ maxPerUser: 1 }), await create()]
    const body = { ...basket(coupon.code), request: 'g' }
    const first = (await redeem(body)).body
    // with other lines, what it gives is another amount
    const again = (await redeem({ ...body, lines: [body.lines[0]!] })).body
    expect([again.orderId, again.discount]).toEqual([first.orderId, 250])
    expect(await redeemedOf(coupon)).toBe(1)
    expect((await redeem({ ...basket(other.code), request: 'g' })).body.type).toMatch(
      /idempotency-key-reused$/,
    )
    expect((await redeem({ ...body, couponCodes: [coupon.code, other.code] })).status).toBe(422)
    expect(await redeemedOf(other)).toBe(0)
    // another user's key of the same name
    expect((await redeem(body, shop.newUser())).body.orderId).not.toBe(first.orderId)
  })

  it('is refused beyond the limits, of one user and of all', async () => {
    const coupon = await create({ maxPerUser: 1, maxInAll: 2 })
    const [one, two, three] = [shop.newUser(), shop.newUser(), shop.newUser()]
    const of = (request: string) => ({ ...basket(coupon.code), request })
    const { orderId } = (await redeem(of('1'), one)).body
    expectOwnProblem(
      await redeem(of('2'), one),
      'coupon-used-up',
      [409, 'The coupon is used up'],
      `You have redeemed ${coupon.code} as often as you may, which is once.`,
      [
        {
          pointer: '/body/couponCodes/0',
          detail: `You have redeemed ${coupon.code} as often as you may, which is once.`,
        },
      ],
    )
    expect((await quote(basket(coupon.code), one)).status).toBe(409)
    expect((await redeem(of('3'), two)).status).toBe(200)
    expect((await redeem(of('4'), three)).body.detail).toBe(
      `${coupon.code} was redeemed as often as it can be.`,
    )
    await tell.cancelled(orderId)
    expect((await redeem(of('5'), three)).status).toBe(200)
  })

  it('is refused by all of its coupons or none', async () => {
    const [good, gone] = [await create(), await create({ maxInAll: 1 })]
    await redeem({ ...basket(gone.code), request: 'h' })
    expect((await redeem({ ...basket(good.code, gone.code), request: 'i' })).status).toBe(409)
    expect(await redeemedOf(good)).toBe(0)
  })

  it('is for the customer for whom staff order, whose limits count, also once they have an account', async () => {
    const coupon = await create({ maxPerUser: 1 })
    const [customerId, account] = [uuidv7(), shop.newUser()]
    const of = (request: string, more = {}) => ({ ...basket(coupon.code), request, ...more })
    expect((await redeem(of('s1', { customerId }), shop.users.staff)).status).toBe(200)
    expect((await redeem(of('s2', { customerId }), shop.users.staff)).status).toBe(409)
    // staff have not redeemed it themselves
    expect((await redeem(of('s3'), shop.users.staff)).status).toBe(200)
    await shop.react('move-redemptions', 'customer.claimed', { customerId, userId: account.id })
    expect((await redeem(of('s4'), account)).status).toBe(409)
    expectProblem(
      await redeem(of('s5', { customerId })),
      'wrong-role',
      'Only staff redeem coupons for a customer: leave `customerId` out to redeem them yourself.',
    )
    expect((await quote({ ...basket(coupon.code), customerId })).status).toBe(403)
  })

  it('forgets what a deleted user has sent', async () => {
    const user = shop.newUser()
    const { code } = await create()
    await redeem({ ...basket(code), request: 'the key that someone chose' }, user)
    await shop.react('forget-redeemer', 'user.deleted', { userId: user.id })
    const { db } = shop.deps('coupons')
    const kept = [await db.select().from(redemptions), await db.select().from(idempotencyKeys)]
    expect(JSON.stringify(kept)).not.toContain('the key that someone chose')
  })
})
