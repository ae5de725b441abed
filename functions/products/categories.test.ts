import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Send, type TestShop } from '../../test/shop.ts'
import { ensureCategories } from './category-store.ts'
import { categoriesOfTexts } from './migrations/categories.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const slug = () => `c-${randomUUID()}`
const create = (body: object = {}) =>
  shop.create('/categories', { as: 'admin', body: { name: 'Things', slug: slug(), ...body } })
const listed = async (wanted: string) =>
  (await shop.get('/categories')).body.items.find((each: { slug: string }) => each.slug === wanted)
const sell = (category: string) => {
  const price = { amount: 1, currency: 'EUR' }
  return shop.create('/products', {
    as: 'seller',
    body: { sku: randomUUID(), name: 'Thing', category, price },
  })
}
const change = (id: string, body: object, send: Send = {}) =>
  shop.patch(`/categories/${id}`, { as: 'admin', ifMatch: '*', body, ...send })

describe('create-category', () => {
  it('adds a category, below another if wanted', async () => {
    const top = await create({ name: 'Bikes' })
    const answer = await shop.post('/categories', {
      as: 'admin',
      body: { name: 'Wheels & tyres', parentId: top.id },
    })
    expect(answer).toMatchObject({
      status: 201,
      body: { slug: 'wheels-tyres', name: 'Wheels & tyres', parentId: top.id, version: 1 },
    })
    const location = answer.headers.get('location')!
    expect((await shop.get(location.replace('/api/v1', ''))).text).toBe(answer.text)
    expect(await listed('wheels-tyres')).toEqual(answer.body)
  })

  it.each([
    ['/body/name', { name: '!?' }],
    ['/body/slug', { name: 'Mugs', slug: 'Mugs' }],
    ['/body/slug', { name: 'Mugs', slug: 'two--dashes' }],
    ['/body/parentId', { name: 'Mugs', slug: 'mugs', parentId: uuidv7() }],
  ])('rejects an invalid value at %s', async (pointer, body) => {
    const answer = await shop.post('/categories', { as: 'admin', body })
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer }] })
  })

  it('rejects a slug that is taken', async () => {
    const taken = await create()
    const answer = await shop.post('/categories', { as: 'admin', body: { name: 'More', slug: taken.slug } })
    expect(answer.body).toMatchObject({ status: 409, type: expect.stringContaining('slug-taken') })
  })

  it('creates one category for 10 concurrent requests with one key', async () => {
    const send = { as: 'admin' as const, key: randomUUID(), body: { name: 'Once', slug: slug() } }
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.post('/categories', send)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(201)
  })

  it('is allowed for admins only', async () => {
    const body = { name: 'Mine' }
    for (const as of ['customer', 'seller', 'staff'] as const)
      expect((await shop.post('/categories', { as, body })).status).toBe(403)
    expect((await shop.post('/categories', { body })).status).toBe(401)
  })
})

describe('list-categories', () => {
  it('returns 304 until a category changes', async () => {
    const { id } = await create()
    const { headers } = await shop.get('/categories')
    const known = { headers: { 'if-none-match': headers.get('etag')! } }
    expect((await shop.get('/categories', known)).status).toBe(304)
    await change(id, { name: 'Other things' })
    expect((await shop.get('/categories', known)).status).toBe(200)
  })
})

describe('update-category', () => {
  it('renames and moves a category, whose products stay in it', async () => {
    const [top, moved] = [await create(), await create()]
    const product = await sell(moved.slug)
    const answer = await change(moved.id, { name: 'Moved', parentId: top.id }, { ifMatch: '"1"' })
    expect(answer).toMatchObject({ status: 200, body: { name: 'Moved', parentId: top.id, version: 2 } })
    expect(answer.headers.get('etag')).toBe('"2"')
    for (const category of [top.slug, moved.slug])
      expect((await shop.get(`/products?category=${category}`)).body.items).toEqual([product])
    expect((await change(moved.id, { parentId: null })).body.parentId).toBeNull()
    expect((await shop.get(`/products?category=${top.slug}`)).body.items).toEqual([])
  })

  it('makes no cycle of two concurrent moves', async () => {
    const [a, b] = [await create(), await create()]
    const answers = await Promise.all([change(a.id, { parentId: b.id }), change(b.id, { parentId: a.id })])
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 400])
  })

  it('requires the current version', async () => {
    const { id } = await create()
    expect((await shop.patch(`/categories/${id}`, { as: 'admin', body: { name: 'A' } })).status).toBe(428)
    expect((await change(id, { name: 'A' }, { ifMatch: '"1"' })).status).toBe(200)
    expect((await change(id, { name: 'B' }, { ifMatch: '"1"' })).status).toBe(412)
  })

  it('does not change the slug', async () => {
    const { id } = await create()
    expect((await change(id, { slug: slug() })).body).toMatchObject({ errors: [{ pointer: '/body/slug' }] })
  })
})

describe('delete-category', () => {
  const remove = (id: string, send: Send = {}) => shop.delete(`/categories/${id}`, { as: 'admin', ...send })

  it('deletes an empty category', async () => {
    const { id, slug } = await create()
    expect((await remove(id, { ifMatch: '"2"' })).status).toBe(412)
    expect((await remove(id)).status).toBe(204)
    expect((await remove(id)).status).toBe(404)
    expect((await shop.get(`/categories/${id}`)).status).toBe(404)
    expect(await listed(slug)).toBeUndefined()
  })

  it('refuses to delete one that is in use', async () => {
    const top = await create()
    const below = await create({ parentId: top.id })
    expect((await remove(top.id)).body).toMatchObject({
      status: 409,
      detail: expect.stringContaining(below.slug),
    })
    const product = await sell(below.slug)
    expect((await remove(below.id)).body).toMatchObject({
      status: 409,
      type: expect.stringContaining('category-in-use'),
      detail: expect.stringContaining(product.sku),
    })
    await shop.delete(`/products/${product.id}`, { as: 'seller' })
    expect((await remove(below.id)).status).toBe(204)
  })

  it('leaves no product without its category, if one is added meanwhile', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => create()))
    const answers = await Promise.all(all.map(async ({ id, slug }) => Promise.all([remove(id), sell(slug)])))
    for (const [, { category }] of answers) expect(await listed(category)).toMatchObject({ slug: category })
  })
})

describe('the category of a product', () => {
  it('is named by its slug or its name', async () => {
    const { slug } = await create({ name: 'Bike bells', slug: 'bike-bells' })
    for (const category of ['bike-bells', 'Bike bells', 'BIKE  BELLS'])
      expect((await sell(category)).category).toBe(slug)
    expect((await shop.get('/products?category=bike%20bells')).body.items).toHaveLength(3)
  })

  it('is added at the top if there is none of this name', async () => {
    const { id } = await sell('Camp fires')
    expect(await listed('camp-fires')).toMatchObject({ name: 'Camp fires', parentId: null })
    await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body: { category: 'Hearths' } })
    expect(await listed('hearths')).toMatchObject({ name: 'Hearths', parentId: null })
    expect((await shop.get(`/products/${id}`)).body.category).toBe('hearths')
  })

  it('need not be in a tree that is full', async () => {
    const { categories } = shop.deps('products')
    const before = await categories.findOne({ _id: 'tree' })
    await ensureCategories(
      categories,
      Array.from({ length: 1_001 }, (_, n) => `Full ${n}`),
    )
    const body = { name: 'One more', slug: slug() }
    expect((await shop.post('/categories', { as: 'admin', body })).body).toMatchObject({
      status: 409,
      type: expect.stringContaining('too-many-categories'),
    })
    const product = await sell('One more')
    expect((await shop.get('/products?category=one-more')).body.items).toEqual([product])
    expect(await listed('one-more')).toBeUndefined()
    await categories.replaceOne({ _id: 'tree' }, before!)
  })

  it('is added once for many products at the same time', async () => {
    const { categories } = shop.deps('products')
    await Promise.all(Array.from({ length: 10 }, () => ensureCategories(categories, ['At once', 'at once'])))
    expect(await listed('at-once')).toBeDefined()
  })
})

it('makes categories of the texts of an earlier version, however often it runs', async () => {
  const { products } = shop.deps('products')
  const ids = []
  for (const category of ['Old Bells', 'old bells', '?!']) {
    const { id } = await sell('x')
    await products.updateOne({ _id: id }, { $set: { category } })
    ids.push(id)
  }
  for (let run = 0; run < 2; run++) await categoriesOfTexts(products.db)
  const found = await Promise.all(ids.map(async (id) => (await shop.get(`/products/${id}`)).body.category))
  expect(found).toEqual(['old-bells', 'old-bells', 'other'])
  expect(await listed('old-bells')).toMatchObject({
    name: expect.stringMatching(/old bells/i),
    parentId: null,
  })
  expect(await listed('other')).toBeDefined()
})
