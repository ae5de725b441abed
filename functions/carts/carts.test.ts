import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCartShop, quantitiesOf, type CartShop } from '../../test/carts.ts'
import { expectOwnProblem, expectProblem } from '../../test/problems.ts'
import type { Answered } from '../../test/shop.ts'
import { keptMs } from './cart.ts'

let shop: CartShop
beforeAll(async () => {
  shop = await openCartShop(['carts', 'stock', 'products'])
  await shop.sell(['MUG', 900], ['SAW', 2000], ['CAP', 500, 'USD'])
})
afterAll(() => shop.close())

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const carts = () => shop.deps('carts').carts
const cookieOf = ({ headers }: Answered) => headers.get('set-cookie')?.split(';')[0] ?? ''
const tokenOf = ({ headers }: Answered) => headers.get('cart-token') ?? ''
const asGuest = (answer: Answered) => ({ 'cart-token': tokenOf(answer) })
/** Matches a guest's cart in the store. */
const at = (answer: Answered) => ({ _id: shop.deps('carts').guests.verify(tokenOf(answer))! })
const noItem = 'There is no such item. Check the SKU: the shop may not sell it, or the cart may not have it.'

describe('the cart of a user', () => {
  it('is empty at first', async () => {
    const { status, body, headers } = await shop.cart(shop.newUser())
    expect([status, body]).toEqual([200, { lines: [], pieces: 0, subtotal: null, expiresAt: null }])
    expect(headers.get('cache-control')).toBe('private, no-cache')
    expect(headers.get('set-cookie')).toBeNull()
  })

  it('takes products, in any case of their SKUs, and other quantities of them', async () => {
    const user = shop.newUser()
    expect(quantitiesOf(await shop.put('MUG', 2, user))).toEqual({ MUG: 2 })
    await shop.put('saw', 1, user)
    const answer = await shop.put('mug', 5, user)
    expect(answer.body).toMatchObject({ pieces: 6, subtotal: eur(6500) })
    expect(quantitiesOf(answer)).toEqual({ MUG: 5, SAW: 1 })
    const read = await shop.cart(user)
    expect([read.body, read.headers.get('etag')]).toEqual([answer.body, answer.headers.get('etag')])
    expect(new Date(read.body.expiresAt).getTime() - Date.now()).toBeGreaterThan(keptMs - 60_000)
  })

  it('gives products back, and all of them', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 2, user)
    await shop.put('SAW', 2, user)
    const remove = (path: string) => shop.delete(`/carts/current${path}`, { as: user })
    expect((await remove('/items/mug')).status).toBe(204)
    expect(quantitiesOf(await shop.cart(user))).toEqual({ SAW: 2 })
    expectProblem(await remove('/items/mug'), 'not-found', noItem)
    expect((await remove('')).status).toBe(204)
    expect((await remove('')).status).toBe(204)
    expect((await shop.cart(user)).body.lines).toEqual([])
  })

  it('is nobody else’s', async () => {
    await shop.put('MUG', 2, shop.newUser())
    expect((await shop.cart(shop.newUser())).body.lines).toEqual([])
    expect((await shop.cart()).body.lines).toEqual([])
  })

  it('takes a product that was added a moment ago, and none that the shop does not have', async () => {
    const user = shop.newUser()
    const body = { sku: `NEW-${uuidv7()}`, name: 'Pot', category: 'pots', price: eur(300) }
    const { sku, id } = await shop.create('/products', { as: 'seller', body })
    expect((await shop.put(sku, 1, user)).body).toMatchObject({
      lines: [{ name: 'Pot', unitPrice: eur(300) }],
    })
    expectProblem(await shop.put('NONE', 1, user), 'not-found', noItem)
    await shop.react('project-price', 'product.deleted', { productId: id, sku, version: 2 })
    expectProblem(await shop.put(sku, 2, user), 'not-found', noItem)
    expect((await shop.cart(user)).body).toMatchObject({
      lines: [{ sku, name: 'Pot', unitPrice: null, notice: 'gone' }],
      subtotal: null,
    })
  })

  it('has at most 100 products', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 1, user)
    const lines = Array.from({ length: 99 }, (_, n) => ({ sku: `SKU-${n}`, quantity: 1, price: eur(1) }))
    await carts().updateOne({ _id: user.id }, { $push: { lines: { $each: lines } } })
    expectOwnProblem(
      await shop.put('SAW', 1, user),
      'cart-full',
      [409, 'The cart is full'],
      'A cart has at most 100 products. Order these first, or take one out.',
    )
    expect((await shop.put('MUG', 2, user)).status).toBe(200)
  })

  it('has one currency', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 1, user)
    expectOwnProblem(
      await shop.put('CAP', 1, user),
      'cart-mixes-currencies',
      [422, 'A cart has one currency'],
      'CAP costs USD, and what is in the cart EUR. Order that first, or take it out.',
    )
  })

  it('loses no change of many at once', async () => {
    const user = shop.newUser()
    const skus = Array.from({ length: 8 }, (_, n) => `MANY-${n}`)
    await shop.sell(...skus.map((sku): [string, number] => [sku, 100]))
    await Promise.all(skus.map((sku) => shop.put(sku, 1, user)))
    expect(Object.keys(quantitiesOf(await shop.cart(user))).toSorted()).toEqual(skus)
  })

  it('is changed by none who has not seen it as it is, also if only a price is another', async () => {
    const user = shop.newUser()
    await shop.sell(['LAMP', 700])
    const ifMatch = (await shop.put('LAMP', 1, user)).headers.get('etag')!
    const put = (ifMatch: string) =>
      shop.request('PUT', '/carts/current/items/LAMP', { as: user, ifMatch, body: { quantity: 2 } })
    await shop.react('project-price', 'product.updated', {
      productId: uuidv7(),
      sku: 'LAMP',
      name: 'Lamp',
      price: eur(800),
      sellerId: uuidv7(),
      version: 2,
    })
    expect((await put(ifMatch)).status).toBe(412)
    expect((await shop.delete('/carts/current', { as: user, ifMatch })).status).toBe(412)
    expect((await shop.delete('/carts/current/items/LAMP', { as: user, ifMatch })).status).toBe(412)
    const read = await shop.cart(user)
    expect(read.body.lines[0]).toMatchObject({
      unitPrice: eur(800),
      priceWhenAdded: eur(700),
      notice: 'price-changed',
    })
    const seen = await put(read.headers.get('etag')!)
    expect(seen.body.lines[0]).toMatchObject({ priceWhenAdded: eur(800), notice: null })
  })

  it('is forgotten with its user, also if the event comes twice', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 1, user)
    for (let n = 0; n < 2; n++) await shop.react('forget-shopper', 'user.deleted', { userId: user.id })
    expect(await carts().findOne({ _id: user.id })).toBeNull()
  })
})

describe('a price', () => {
  it('is the newest, in whatever order the events come', async () => {
    const user = shop.newUser()
    await shop.sell(['AXE', 700])
    await shop.put('AXE', 1, user)
    const updated = (price: number, version: number) =>
      shop.react('project-price', 'product.updated', {
        productId: uuidv7(),
        sku: 'AXE',
        name: 'Axe',
        price: eur(price),
        sellerId: uuidv7(),
        version,
      })
    await updated(300, 3)
    await updated(400, 2)
    expect((await shop.cart(user)).body.subtotal).toEqual(eur(300))
    await shop.react('project-price', 'product.deleted', { productId: uuidv7(), sku: 'AXE', version: 4 })
    await updated(300, 3)
    expect((await shop.cart(user)).body.lines[0].notice).toBe('gone')
  })

  it('of a product that is deleted before anyone knows it is none', async () => {
    const sku = `GONE-${uuidv7()}`.toUpperCase()
    await shop.react('project-price', 'product.deleted', { productId: uuidv7(), sku, version: 2 })
    expect((await shop.put(sku, 1, shop.newUser())).status).toBe(404)
  })
})

describe('the cart of a guest', () => {
  it('comes with a cookie that scripts cannot read and other sites do not send', async () => {
    const first = await shop.put('MUG', 2, undefined, {
      host: 'shop.example',
      'sec-fetch-site': 'same-origin',
    })
    expect(first.headers.get('set-cookie')).toMatch(
      /^cart=[\da-f]{32}\.[\da-f]{32}; Max-Age=2592000; Path=\/api\/v1\/carts; HttpOnly; Secure; SameSite=Lax$/,
    )
    // a script of the shop's page need not know the token
    expect(first.headers.get('cart-token')).toBeNull()
    const cookie = cookieOf(first)
    expect(quantitiesOf(await shop.cart(undefined, { cookie }))).toEqual({ MUG: 2 })
    const again = await shop.put('SAW', 1, undefined, { cookie })
    expect(cookieOf(again)).toBe(cookie)
    expect(quantitiesOf(again)).toEqual({ MUG: 2, SAW: 1 })
    expect((await shop.cart(undefined, { cookie })).headers.get('cache-control')).toBe('private, no-cache')
  })

  it.each(['localhost:8080', '127.0.0.1:8080', '[::1]:8080'])(
    'needs no TLS with npm start: %s',
    async (host) => {
      const { headers } = await shop.put('MUG', 1, undefined, { host })
      expect(headers.get('set-cookie')).not.toContain('Secure')
    },
  )

  it('comes with a token for what is no page of the shop', async () => {
    const first = await shop.put('MUG', 2)
    expect(quantitiesOf(await shop.cart(undefined, asGuest(first)))).toEqual({ MUG: 2 })
    await shop.put('MUG', 3, undefined, asGuest(first))
    await shop.delete('/carts/current/items/MUG', { headers: asGuest(first) })
    expect((await shop.cart(undefined, asGuest(first))).body.lines).toEqual([])
    // a page of another origin gets no cookie, which its browser would not send back
    const page = await shop.put('MUG', 1, undefined, { 'sec-fetch-site': 'cross-site' })
    expect(page.headers.get('set-cookie')).toBeNull()
    expect(tokenOf(page)).not.toBe('')
  })

  it('is another for each guest', async () => {
    const [one, other] = [await shop.put('MUG', 1), await shop.put('MUG', 2)]
    expect(tokenOf(one)).not.toBe(tokenOf(other))
    expect(quantitiesOf(await shop.cart(undefined, asGuest(one)))).toEqual({ MUG: 1 })
  })

  it('cannot be opened with a forged token', async () => {
    const token = tokenOf(await shop.put('MUG', 1))
    const forged = token.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    const detail = 'The Cart-Token is none of ours. Send none, and the next change returns a new one.'
    for (const wrong of [forged, uuidv7(), '', 'x'])
      expectProblem(await shop.cart(undefined, { 'cart-token': wrong }), 'invalid-request', detail, [
        { pointer: '/header/cart-token', detail: 'not a token of this shop' },
      ])
    // a cookie that we have not made is replaced
    const headers = { cookie: `cart=${forged}` }
    expect((await shop.cart(undefined, headers)).body.lines).toEqual([])
    const replaced = cookieOf(await shop.put('SAW', 1, undefined, headers))
    expect(quantitiesOf(await shop.cart(undefined, { cookie: replaced }))).toEqual({ SAW: 1 })
  })

  it('is not changed by a page of another site', async () => {
    const cookie = cookieOf(await shop.put('MUG', 1))
    const detail =
      'A request that changes the cart of a cookie must come from a page of the shop. Send a Cart-Token instead.'
    for (const from of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      const headers = { cookie, host: 'shop.example', ...from }
      for (const answer of [
        await shop.put('MUG', 9, undefined, headers),
        await shop.delete('/carts/current', { headers }),
        await shop.delete('/carts/current/items/MUG', { headers }),
      ])
        expectOwnProblem(answer, 'cross-site-request', [403, 'Another site may not change the cart'], detail)
    }
    expect(quantitiesOf(await shop.cart(undefined, { cookie }))).toEqual({ MUG: 1 })
    for (const from of [
      { 'sec-fetch-site': 'same-origin', origin: 'https://shop.example' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://shop.example' },
      // the gateway has replaced the host
      { origin: 'https://shop.example', host: 'set-cart-item.svc', 'x-forwarded-host': 'shop.example' },
      {},
    ])
      expect((await shop.put('MUG', 1, undefined, { cookie, host: 'shop.example', ...from })).status).toBe(
        200,
      )
  })
})

describe('the cart of a guest who logs in', () => {
  it('is merged into the user’s by the first request, once, and the cookie goes', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 2, user)
    const guest = await shop.put('MUG', 1)
    await shop.put('SAW', 4, undefined, asGuest(guest))
    const headers = { cookie: cookieOf(guest) }
    const first = await shop.cart(user, headers)
    expect(quantitiesOf(first)).toEqual({ MUG: 3, SAW: 4 })
    expect(first.headers.get('set-cookie')).toMatch(/^cart=; Max-Age=0; Path=\/api\/v1\/carts;/)
    expect(quantitiesOf(await shop.cart(user, headers))).toEqual({ MUG: 3, SAW: 4 })
    expect((await shop.cart(undefined, headers)).body.lines).toEqual([])
  })

  it.each(['PUT', 'DELETE'])('is merged by a %s, too', async (method) => {
    const user = shop.newUser()
    const headers = asGuest(await shop.put('MUG', 1))
    await shop.put('SAW', 1, undefined, headers)
    const body = method === 'PUT' ? { body: { quantity: 7 } } : {}
    await shop.request(method, '/carts/current/items/MUG', { as: user, headers, ...body })
    expect(quantitiesOf(await shop.cart(user))).toEqual({ ...(method === 'PUT' && { MUG: 7 }), SAW: 1 })
  })

  it('is merged once by many requests at once', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 2, user)
    const headers = asGuest(await shop.put('MUG', 1))
    await Promise.all(Array.from({ length: 10 }, () => shop.cart(user, headers)))
    expect(quantitiesOf(await shop.cart(user))).toEqual({ MUG: 3 })
  })

  it('is merged into one user’s cart only', async () => {
    const headers = asGuest(await shop.put('MUG', 1))
    const users = [shop.newUser(), shop.newUser(), shop.newUser()]
    const found = await Promise.all(users.map((user) => shop.cart(user, headers)))
    expect(found.filter(({ body }) => body.pieces > 0)).toHaveLength(1)
  })

  it('is merged by the next request if the one before was interrupted', async () => {
    const user = shop.newUser()
    const guest = await shop.put('MUG', 1)
    const headers = asGuest(guest)
    // closed, but not merged
    await carts().updateOne(at(guest), { $set: { mergedInto: user.id }, $inc: { version: 1 } })
    expect((await shop.cart(undefined, headers)).body.lines).toEqual([])
    expect(quantitiesOf(await shop.cart(user, headers))).toEqual({ MUG: 1 })
    // merged, but not deleted
    const another = await shop.put('MUG', 1)
    const { cartId } = (await carts().findOne(at(another)))!
    await carts().updateOne({ _id: user.id }, { $push: { merged: cartId } })
    expect(quantitiesOf(await shop.cart(user, asGuest(another)))).toEqual({ MUG: 1 })
    expect(await carts().findOne(at(another))).toBeNull()
  })

  it('is a new one when a guest goes on while it is being merged', async () => {
    const first = await shop.put('MUG', 1)
    await carts().updateOne(at(first), { $set: { mergedInto: uuidv7() } })
    const next = await shop.put('SAW', 1, undefined, asGuest(first))
    expect(quantitiesOf(next)).toEqual({ SAW: 1 })
    expect(tokenOf(next)).not.toBe(tokenOf(first))
  })

  it('can be merged again, with what the guest has added after logging out', async () => {
    const user = shop.newUser()
    const headers = asGuest(await shop.put('MUG', 1))
    await shop.cart(user, headers)
    await shop.put('SAW', 1, undefined, headers)
    expect(quantitiesOf(await shop.cart(user, headers))).toEqual({ MUG: 1, SAW: 1 })
  })

  it('adds no more than is available', async () => {
    const [user, sku] = [shop.newUser(), `FEW-${uuidv7()}`.toUpperCase()]
    await shop.sell([sku, 100])
    await shop.react('open-stock', 'product.created', {
      productId: uuidv7(),
      sku,
      name: 'Few',
      price: eur(100),
      sellerId: uuidv7(),
      version: 1,
    })
    const body = { quantity: 5, reason: 'received' }
    await shop.create(`/stock/${sku}/adjustments`, { as: 'staff', body })
    await shop.put(sku, 3, user)
    const headers = asGuest(await shop.put(sku, 4))
    expect(quantitiesOf(await shop.cart(user, headers))).toEqual({ [sku]: 5 })
  })
})

describe('a cart that nobody changes', () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000)

  /** Returns the event that looks next whether the cart has expired. */
  const deadline = async (id: string) => {
    const { deadlineId } = (await carts().findOne({ _id: id }))!
    return { ownerId: id, deadlineId }
  }

  it('is looked at after 30 days', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 1, user)
    await shop.put('MUG', 2, user)
    await expect
      .poll(() => shop.scheduled(user.id))
      .toMatchObject([{ type: 'cart.deadline-reached', data: await deadline(user.id) }])
    const { seconds } = (await shop.scheduled(user.id))[0]!
    expect(Math.abs(seconds - keptMs / 1000)).toBeLessThan(60)
  })

  it('is deleted', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 1, user)
    await carts().updateOne({ _id: user.id }, { $set: { updatedAt: daysAgo(31) } })
    await shop.react('expire-cart', 'cart.deadline-reached', await deadline(user.id))
    expect(await carts().findOne({ _id: user.id })).toBeNull()
  })

  it('has another deadline if it was changed since, once', async () => {
    const user = shop.newUser()
    await shop.put('MUG', 1, user)
    await carts().updateOne({ _id: user.id }, { $set: { updatedAt: daysAgo(10) } })
    const first = await deadline(user.id)
    for (let n = 0; n < 2; n++) await shop.react('expire-cart', 'cart.deadline-reached', first)
    const next = await deadline(user.id)
    expect(next.deadlineId).not.toBe(first.deadlineId)
    await expect
      .poll(async () => (await shop.scheduled(user.id)).map(({ data }) => data))
      .toEqual([next, first])
    const { seconds } = (await shop.scheduled(user.id))[0]!
    expect(Math.abs(seconds - 20 * 24 * 60 * 60)).toBeLessThan(60)
    expect(quantitiesOf(await shop.cart(user))).toEqual({ MUG: 1 })
  })
})
