import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buy } from './fixtures.ts'
import type { User } from '../shared/auth/access-token.ts'
import { expectProblem } from '../../test/problems.ts'
import { openShop, type Answered, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

interface Offered {
  id: string
  sku: string
}

async function offer(name = 'Pot'): Promise<Offered> {
  const price = { amount: 1, currency: 'EUR' }
  return shop.create('/products', { as: 'seller', body: { sku: randomUUID(), name, category: 'x', price } })
}

/** Returns a customer with a completed order of a product. */
async function buyerOf({ sku }: Offered): Promise<User> {
  const user = shop.newUser()
  await buy(shop, user.id, sku.toUpperCase())
  return user
}

const expectConflict = (answer: Answered, name: string, detail: string, members: object = {}) =>
  expect(answer).toMatchObject({
    status: 409,
    body: { type: `https://zeroshop.dev/problems/${name}`, detail, ...members },
  })

const noBuyer = 'You can review this product when an order of yours with it is completed: shipped and paid.'
const praise = { stars: 5, title: 'Good', text: 'It holds water.' }
const send = ({ id }: Offered, as: User, body: object = praise, key?: string) =>
  shop.post(`/products/${id}/reviews`, { as, body, ...(key === undefined ? {} : { key }) })
const review = async (product: Offered, stars: number, as?: User): Promise<{ id: string }> =>
  (await send(product, as ?? (await buyerOf(product)), { stars })).body
const pathOf = (product: Offered, { id }: { id: string }) => `/products/${product.id}/reviews/${id}`
const listed = async ({ id }: Offered, query = '') =>
  (await shop.get(`/products/${id}/reviews${query}`)).body.items as { id: string; stars: number }[]

/** Delivers the events of a product's reviews, once they are collected. Most were delivered before. */
async function rate(product: Offered) {
  const { reviews } = shop.deps('products')
  const waiting = () => reviews.countDocuments({ productId: product.id, 'outbox.id': { $exists: true } })
  await expect.poll(waiting).toBe(0)
  for (const { _id } of await reviews.find({ productId: product.id }).toArray())
    for (const { type, data, id } of await shop.emitted(_id))
      await shop.react('rate-product', type as 'review.created', data as never, id)
}
const ratingOf = async ({ id }: Offered) => (await shop.get(`/products/${id}`)).body.rating

describe('a review', () => {
  it('is written by a customer with a completed order of the product, and read by anyone', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const written = await send(product, buyer)
    expect(written.status).toBe(201)
    expect(written.body).toMatchObject({ ...praise, productId: product.id, answer: null, version: 1 })
    expect(written.headers.get('location')).toBe(`/api/v1${pathOf(product, written.body)}`)
    const read = await shop.get(pathOf(product, written.body))
    expect([read.status, read.body, read.headers.get('etag')]).toEqual([200, written.body, '"1"'])
    expect(await listed(product)).toEqual([written.body])
    // nothing tells who wrote it
    expect(read.text).not.toContain(buyer.id)
    await expect
      .poll(() => shop.emitted(written.body.id))
      .toMatchObject([{ type: 'review.created', data: { productId: product.id, stars: 5, version: 1 } }])
  })

  it('needs a completed order: none, one of another product, one that is only placed or cancelled do not do', async () => {
    const [product, other] = [await offer(), await offer()]
    const total = { amount: 1, currency: 'EUR' }
    const lines = [{ sku: product.sku, quantity: 1 }]
    const user = shop.newUser()
    const orderId = uuidv7()
    const refused = async () => expectConflict(await send(product, user), 'purchase-needed', noBuyer)
    await refused()
    await buy(shop, user.id, other.sku)
    await refused()
    await shop.react('track-purchase', 'order.placed', { orderId, customerId: user.id, lines, total })
    await refused()
    await shop.react('track-purchase', 'order.cancelled', { orderId, reason: 'changed my mind' })
    await refused()
    await buy(shop, user.id, product.sku)
    expect((await send(product, user)).status).toBe(201)
  })

  it('may be written whatever the order in which the events of the order come, and however often', async () => {
    const product = await offer()
    const [user, orderId] = [shop.newUser(), uuidv7()]
    const total = { amount: 1, currency: 'EUR' }
    const lines = [{ sku: product.sku, quantity: 1 }]
    for (let n = 0; n < 2; n++) {
      await shop.react('track-purchase', 'order.completed', { orderId })
      await shop.react('track-purchase', 'order.placed', { orderId, customerId: user.id, lines, total })
    }
    expect((await send(product, user)).status).toBe(201)
  })

  it('may be written for what staff ordered for a customer who has claimed the record since', async () => {
    const product = await offer()
    const [customerId, user] = [uuidv7(), shop.newUser()]
    const claim = () => shop.react('claim-purchases', 'customer.claimed', { customerId, userId: user.id })
    for (let n = 0; n < 2; n++) await claim()
    expect((await send(product, user)).status).toBe(409)
    // an event that comes late
    await buy(shop, customerId, product.sku)
    expect((await send(product, user)).status).toBe(201)
  })

  it('is one for each customer and product: the answer to another one says where it is', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const { body } = await send(product, buyer)
    const again = await send(product, buyer, { stars: 1 })
    expectConflict(
      again,
      'already-reviewed',
      'You have reviewed this product. Change that review, or delete it before you write another one.',
      { review: `/api/v1${pathOf(product, body)}` },
    )
    expect(await listed(product)).toEqual([body])
  })

  it('is written once by requests at the same time, with one key or with several', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const key = randomUUID()
    const keys = [key, key, key, randomUUID(), randomUUID(), randomUUID()]
    const answers = await Promise.all(keys.map((each) => send(product, buyer, praise, each)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([])
    expect(statuses).toContain(201)
    const written = answers.filter(({ status }) => status === 201)
    expect(new Set(written.map(({ text }) => text)).size).toBe(1)
    expect(await listed(product)).toHaveLength(1)
  })

  it('gets the first answer again if the request is repeated, and 422 with another body', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const key = randomUUID()
    const first = await send(product, buyer, praise, key)
    await shop.patch(pathOf(product, first.body), { as: buyer, ifMatch: '*', body: { stars: 1 } })
    const again = await send(product, buyer, praise, key)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect((await send(product, buyer, { stars: 2 }, key)).status).toBe(422)
    await shop.delete(`/products/${product.id}`, { as: 'seller' })
    expect((await send(product, buyer, praise, key)).text).toBe(first.text)
  })

  it('is refused of a product that is not for sale, and from sellers', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    await buy(shop, shop.users.seller.id, product.sku)
    expectProblem(
      await send(product, shop.users.seller),
      'wrong-role',
      'This needs the role customer or staff or admin.',
    )
    await shop.delete(`/products/${product.id}`, { as: 'seller' })
    for (const answer of [await send(product, buyer), await shop.get(`/products/${product.id}/reviews`)])
      expectProblem(answer, 'not-found', 'The shop has no such product.')
  })

  it.each([
    { stars: 0 },
    { stars: 6 },
    { stars: 4.5 },
    { title: 'no stars' },
    { stars: 5, title: 'x'.repeat(101) },
  ])('is refused if it is not valid: %j', async (body) => {
    const product = await offer()
    expect((await send(product, await buyerOf(product), body)).status).toBe(400)
  })
})

describe('its author', () => {
  it('changes it, unless it has changed meanwhile', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const { body } = await send(product, buyer)
    const path = pathOf(product, body)
    const changed = await shop.patch(path, {
      as: buyer,
      ifMatch: '"1"',
      body: { stars: 2, text: 'It leaks.' },
    })
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"'])
    expect(changed.body).toMatchObject({ stars: 2, title: 'Good', text: 'It leaks.', version: 2 })
    expect((await shop.patch(path, { as: buyer, ifMatch: '"1"', body: { stars: 3 } })).status).toBe(412)
    expect((await shop.patch(path, { as: buyer, body: { stars: 3 } })).status).toBe(428)
    await expect
      .poll(() => shop.emitted(body.id))
      .toMatchObject([{ type: 'review.created' }, { type: 'review.updated', data: { stars: 2, version: 2 } }])
  })

  it('deletes it, and may write another one', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const { body } = await send(product, buyer)
    const path = pathOf(product, body)
    expect((await shop.delete(path, { as: buyer, ifMatch: '"7"' })).status).toBe(412)
    expect((await shop.delete(path, { as: buyer })).status).toBe(204)
    expectProblem(await shop.delete(path, { as: buyer }), 'not-found', 'There is no such review.')
    expectProblem(await shop.get(path), 'not-found', 'There is no such review.')
    expect(await listed(product)).toEqual([])
    expect((await send(product, buyer, { stars: 1 })).status).toBe(201)
  })

  it('is the only one: others do not find it for a change', async () => {
    const product = await offer()
    const path = pathOf(product, await review(product, 4))
    for (const as of [await buyerOf(product), shop.users.seller, shop.users.staff]) {
      const change = await shop.patch(path, { as, ifMatch: '*', body: { stars: 1 } })
      expectProblem(change, 'not-found', 'There is no such review.')
    }
    for (const as of [await buyerOf(product), shop.users.seller])
      expectProblem(await shop.delete(path, { as }), 'not-found', 'There is no such review.')
    const elsewhere = path.replace(product.id, (await offer()).id)
    expectProblem(await shop.get(elsewhere), 'not-found', 'There is no such review.')
  })
})

describe('staff', () => {
  it('remove a review for a reason, which its author is told who would write another one', async () => {
    const product = await offer()
    const buyer = await buyerOf(product)
    const { body } = await send(product, buyer)
    const path = pathOf(product, body)
    const unexplained = await shop.delete(path, { as: 'staff' })
    expect(unexplained.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/reason' }] })
    expect((await shop.delete(`${path}?reason=dull`, { as: 'staff' })).status).toBe(400)
    expect((await shop.delete(`${path}?reason=spam`, { as: 'staff' })).status).toBe(204)
    expect(await listed(product)).toEqual([])
    expectConflict(
      await send(product, buyer),
      'review-removed',
      'Staff have removed your review of this product, and you cannot write another one.',
      { reason: 'spam' },
    )
    expectProblem(
      await shop.patch(path, { as: buyer, ifMatch: '*', body: { stars: 1 } }),
      'not-found',
      'There is no such review.',
    )
    const kept = await shop.deps('products').reviews.findOne({ _id: body.id })
    expect(kept).toMatchObject({ title: '', text: '', removedFor: 'spam' })
    expect(JSON.stringify(kept)).not.toContain(praise.text)
    await expect
      .poll(() => shop.emitted(body.id))
      .toMatchObject([{ type: 'review.created' }, { type: 'review.deleted', data: { reason: 'spam' } }])
  })
})

describe('an answer', () => {
  it('is by the seller of the product or by staff, replaced, and deleted', async () => {
    const product = await offer()
    const path = pathOf(product, await review(product, 2))
    const first = await shop.put(`${path}/answer`, { as: 'seller', body: { text: 'Sorry.' } })
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"'])
    expect(first.body.answer).toMatchObject({ text: 'Sorry.', by: 'seller' })
    expect(first.body.updatedAt).toBe(first.body.createdAt)
    const send = (ifMatch: string) =>
      shop.put(`${path}/answer`, { as: 'staff', ifMatch, body: { text: 'We send another one.' } })
    expect((await send('"1"')).status).toBe(412)
    expect((await send('"2"')).body.answer).toMatchObject({ text: 'We send another one.', by: 'shop' })
    expect((await shop.delete(`${path}/answer`, { as: 'seller' })).status).toBe(204)
    expect((await shop.get(path)).body).toMatchObject({ answer: null, version: 4 })
  })

  it('is not found by other sellers, and not for customers', async () => {
    const product = await offer()
    const path = `${pathOf(product, await review(product, 2))}/answer`
    const other = shop.newUser('seller')
    for (const answer of [
      await shop.put(path, { as: other, body: { text: 'Buy mine.' } }),
      await shop.delete(path, { as: other }),
      await shop.put(`/products/${product.id}/reviews/${uuidv7()}/answer`, {
        as: 'staff',
        body: { text: 'x' },
      }),
    ])
      expectProblem(answer, 'not-found', 'There is no such review.')
    expect((await shop.put(path, { as: 'customer', body: { text: 'x' } })).status).toBe(403)
  })
})

describe('the list', () => {
  it('is sorted by newest, best or worst, page by page', async () => {
    const product = await offer()
    for (const stars of [3, 5, 1, 5, 2]) await review(product, stars)
    const all = await listed(product)
    const ids = all.map(({ id }) => id)
    expect(all.map(({ stars }) => stars)).toEqual([2, 5, 1, 5, 3])
    expect(ids.toSorted().toReversed()).toEqual(ids)
    for (const [sort, expected] of [
      ['newest', [2, 5, 1, 5, 3]],
      ['best', [5, 5, 3, 2, 1]],
      ['worst', [1, 2, 3, 5, 5]],
    ] as const) {
      const pages: { id: string; stars: number }[] = []
      for (let query: string | undefined = `?sort=${sort}&limit=2`; query !== undefined;) {
        const { body } = await shop.get(`/products/${product.id}/reviews${query}`)
        pages.push(...body.items)
        query = body.next && `?sort=${sort}&limit=2&cursor=${body.next}`
      }
      expect(pages.map(({ stars }) => stars)).toEqual(expected)
      expect(new Set(pages.map(({ id }) => id))).toEqual(new Set(ids))
    }
  })
})

describe('the rating of a product', () => {
  it('follows its reviews, by their events', async () => {
    const product = await offer()
    expect(await ratingOf(product)).toEqual({ average: null, count: 0 })
    const [first, second] = [await buyerOf(product), await buyerOf(product)]
    const one = await review(product, 5, first)
    const two = await review(product, 4, second)
    await rate(product)
    expect(await ratingOf(product)).toEqual({ average: 4.5, count: 2 })
    await shop.patch(pathOf(product, one), { as: first, ifMatch: '*', body: { stars: 1 } })
    await rate(product)
    expect(await ratingOf(product)).toEqual({ average: 2.5, count: 2 })
    await shop.delete(pathOf(product, two), { as: second })
    await rate(product)
    expect(await ratingOf(product)).toEqual({ average: 1, count: 1 })
    await shop.delete(`${pathOf(product, one)}?reason=abusive`, { as: 'staff' })
    await rate(product)
    expect(await ratingOf(product)).toEqual({ average: null, count: 0 })
  })

  it('is exact if many are reviewed and counted at once, in any order and repeatedly', async () => {
    const product = await offer()
    const stars = Array.from({ length: 24 }, (_, n) => (n % 5) + 1)
    const react = ({ id }: { id: string }, given: number) =>
      shop.react('rate-product', 'review.created', {
        reviewId: id,
        productId: product.id,
        stars: given,
        version: 1,
      })
    await Promise.all(
      stars.map(async (given) => {
        const written = await review(product, given)
        await Promise.all([react(written, given), react(written, given)])
      }),
    )
    const sum = stars.reduce((all, each) => all + each, 0)
    const { rating } = (await shop.deps('products').products.findOne({ _id: product.id }))!
    expect(rating).toMatchObject({ sum, count: stars.length })
  })

  it('makes another answer for caches, but is no reason to refuse an update', async () => {
    const product = await offer()
    await review(product, 5)
    const read = () => shop.get(`/products/${product.id}`)
    const before = (await read()).headers.get('etag')!
    await rate(product)
    const after = (await read()).headers.get('etag')!
    expect(after).not.toBe(before)
    const body = { name: 'Kettle' }
    const changed = await shop.patch(`/products/${product.id}`, { as: 'seller', ifMatch: before, body })
    expect(changed.status).toBe(200)
    expect(changed.body.rating).toEqual({ average: 5, count: 1 })
  })

  it('sorts searches: the best first, and of the same average that of more people', async () => {
    const name = `Sieve${randomUUID().slice(0, 8)}`
    const [none, good, best, popular] = [
      await offer(name),
      await offer(name),
      await offer(name),
      await offer(name),
    ]
    const search = async () =>
      (await shop.get(`/products?q=${name}&sort=rating`)).body.items.map(({ id }: Offered) => id)
    expect(await search()).toEqual([popular.id, best.id, good.id, none.id])
    for (const stars of [4, 4]) await review(popular, stars)
    await review(good, 4)
    await review(best, 5)
    for (const product of [good, best, popular]) await rate(product)
    expect(await search()).toEqual([best.id, popular.id, good.id, none.id])
    const first = (await shop.get(`/products?q=${name}&sort=rating&limit=2`)).body
    const rest = await shop.get(`/products?q=${name}&sort=rating&limit=2&cursor=${first.next}`)
    expect(rest.body.items).toMatchObject([
      { id: good.id, rating: { average: 4, count: 1 } },
      { id: none.id },
    ])
  })
})

describe('a deleted person', () => {
  const forget = (userId: string) => shop.react('forget-seller', 'user.deleted', { userId })
  const traces = async (text: string) => {
    const { reviews, purchases, claims } = shop.deps('products')
    const all = await Promise.all([reviews, purchases, claims].map((each) => each.find().toArray()))
    return JSON.stringify(all).includes(text)
  }

  it('takes their reviews and purchases along, and the rating follows', async () => {
    const product = await offer()
    const [stays, goes] = [await buyerOf(product), await buyerOf(product)]
    await review(product, 1, stays)
    const text = randomUUID()
    const { body } = await send(product, goes, { stars: 5, text })
    const customerId = uuidv7()
    await shop.react('claim-purchases', 'customer.claimed', { customerId, userId: goes.id })
    await buy(shop, customerId, product.sku)
    await rate(product)
    expect(await ratingOf(product)).toEqual({ average: 3, count: 2 })
    for (let n = 0; n < 2; n++) await forget(goes.id)
    await expect.poll(async () => (await shop.emitted(body.id)).length).toBe(2)
    await rate(product)
    expect(await ratingOf(product)).toEqual({ average: 1, count: 1 })
    for (const each of [goes.id, customerId, text]) expect(await traces(each)).toBe(false)
    expect(await traces(stays.id)).toBe(true)
    // the event has come to the reaction, so nothing needs the rest of it
    expect(await traces(body.id)).toBe(false)
  })

  it('leaves nothing of a review that staff have removed, and of an answer', async () => {
    const product = await offer()
    const [removed, answered] = [await buyerOf(product), await buyerOf(product)]
    const path = pathOf(product, await review(product, 1, removed))
    await shop.delete(`${path}?reason=abusive`, { as: 'admin' })
    await forget(removed.id)
    // its events wait in the review until they are collected
    await expect.poll(() => traces(removed.id)).toBe(false)
    const other = pathOf(product, await review(product, 1, answered))
    const staff = shop.newUser('staff')
    await shop.put(`${other}/answer`, { as: staff, body: { text: 'Signed, Ada' } })
    await forget(staff.id)
    await expect.poll(() => traces('Signed, Ada')).toBe(false)
    expect((await shop.get(other)).body).toMatchObject({ answer: null, version: 3 })
  })

  it('is forgotten without an account, too', async () => {
    const product = await offer()
    const customerId = uuidv7()
    await buy(shop, customerId, product.sku)
    await shop.react('forget-seller', 'customer.deleted', { customerId })
    expect(await traces(customerId)).toBe(false)
  })
})
