import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import { keyLifetimeMs } from '../shared/store/idempotency.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const documents = () => shop.deps('products').products
const sku = () => `SKU-${randomUUID().toUpperCase()}`
const mug = () => ({
  sku: sku(),
  name: 'Enamel mug',
  description: 'Dents, but does not break.',
  category: 'mugs',
  price: { amount: 1290, currency: 'EUR' },
  attributes: { colour: 'blue', volumeMl: 330, dishwasherSafe: true, heightCm: 8.5 },
})

const newKey = () => ({ as: 'seller' as const, key: randomUUID(), body: JSON.stringify(mug()) })

describe('create-product', () => {
  it('adds a product of the seller and emits product.created', async () => {
    const body = mug()
    const answer = await shop.post('/products', { as: 'seller', body })
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      ...body,
      weightGrams: 0,
      taxClass: 'standard',
      tags: [],
      images: [],
      options: {},
      group: answer.body.id,
      availability: 'unavailable',
      rating: { average: null, count: 0 },
      id: expect.any(String),
      sellerId: shop.users.seller.id,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: answer.body.createdAt,
    })
    expect(answer.headers.get('etag')).toBe('"1"')
    const location = answer.headers.get('location')!
    expect(location).toBe(`/api/v1/products/${answer.body.id}`)
    expect((await shop.get(location.replace('/api/v1', ''))).text).toBe(answer.text)

    await expect
      .poll(() => shop.emitted(body.sku))
      .toMatchObject([{ type: 'product.created', data: { sku: body.sku, version: 1 } }])
  })

  it('lets admins sell too', async () => {
    const { status, body } = await shop.post('/products', { as: 'admin', body: mug() })
    expect([status, body.sellerId]).toEqual([201, shop.users.admin.id])
  })

  it('defaults to an empty description and no attributes', async () => {
    const { description: _, attributes: __, ...body } = mug()
    const answer = await shop.post('/products', { as: 'seller', body })
    expect(answer.body).toMatchObject({ description: '', attributes: {} })
  })

  it('keeps tags in lower case, each once, and images in their order', async () => {
    const images = [
      { url: 'https://images.example.com/mug%20blue.jpg?width=800', alt: 'A blue mug' },
      { url: 'https://xn--bcher-kva.example/2.webp' },
    ]
    const body = { ...mug(), tags: ['Gift', 'gift', ' camping '], images }
    const answer = await shop.post('/products', { as: 'seller', body })
    expect(answer.body).toMatchObject({
      tags: ['gift', 'camping'],
      images: [images[0], { ...images[1], alt: '' }],
    })
    const found = await shop.get(`/products?tag=GIFT&q=camping`)
    expect(found.body.items).toMatchObject([{ id: answer.body.id }])
  })

  it('treats attribute names that are special in JavaScript like any other', async () => {
    const body = JSON.stringify(mug()).replace('"colour"', '"__proto__":true,"constructor"')
    const answer = await shop.post('/products', { as: 'seller', body })
    expect(answer.status).toBe(201)
    expect(Object.keys(answer.body.attributes)[0]).toBe('constructor')
    expect((await shop.get(`/products/${answer.body.id}`)).text).toBe(answer.text)
  })

  it.each([
    ['/body/sku', { sku: 'has space' }],
    ['/body/name', { name: '  ' }],
    ['/body/name', { name: 'x'.repeat(201) }],
    ['/body/price/amount', { price: { amount: 12.5, currency: 'EUR' } }],
    ['/body/price/amount', { price: { amount: -1, currency: 'EUR' } }],
    ['/body/price/currency', { price: { amount: 1, currency: 'euro' } }],
    ['/body/attributes/a.b', { attributes: { 'a.b': 1 } }],
    ['/body/attributes/$where', { attributes: { $where: 'sleep(1)' } }],
    ['/body/attributes', { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, i])) }],
    ['/body/attributes/nested', { attributes: { nested: { a: 1 } } }],
    ['/body/sellerId', { sellerId: randomUUID() }],
    ['/body/category', { category: '!?' }],
    ['/body/tags/0', { tags: ['x'.repeat(51)] }],
    ['/body/tags/1', { tags: ['gift', ' '] }],
    ['/body/tags', { tags: Array.from({ length: 21 }, (_, i) => `tag ${i}`) }],
    ['/body/images/0/url', { images: [{ url: 'http://example.com/mug.jpg' }] }],
    ['/body/images/0/url', { images: [{ url: 'https://10.0.0.1/mug.jpg' }] }],
    ['/body/images/0/url', { images: [{ url: 'https://localhost/mug.jpg' }] }],
    ['/body/images/0/url', { images: [{ url: 'https://ada:secret@example.com/mug.jpg' }] }],
    ['/body/images/0/url', { images: [{ url: 'https://example.com/#mug' }] }],
    ['/body/images/0/url', { images: [{ url: 'javascript:alert(1)' }] }],
    ['/body/images/0/alt', { images: [{ url: 'https://example.com/mug.jpg', alt: 'x'.repeat(301) }] }],
    ['/body/images', { images: [1, 2].map(() => ({ url: 'https://example.com/mug.jpg' })) }],
    ['/body/images', { images: Array.from({ length: 21 }, (_, i) => ({ url: `https://example.com/${i}` })) }],
  ])('rejects an invalid value at %s', async (pointer, part) => {
    const answer = await shop.post('/products', { as: 'seller', body: { ...mug(), ...part } })
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map((e: { pointer: string }) => e.pointer)).toContain(pointer)
  })

  it('rejects a SKU that is taken, even by a deleted product', async () => {
    const body = mug()
    const first = await shop.post('/products', { as: 'seller', body })
    const second = await shop.post('/products', { as: 'admin', body })
    expect(second.body).toMatchObject({ status: 409, type: expect.stringContaining('sku-taken') })
    await shop.delete(`/products/${first.body.id}`, { as: 'seller' })
    expect((await shop.post('/products', { as: 'seller', body })).status).toBe(409)
  })

  it('rejects a SKU that is taken in another case, and keeps it in upper case', async () => {
    const body = mug()
    const first = await shop.post('/products', {
      as: 'seller',
      body: { ...body, sku: body.sku.toLowerCase() },
    })
    expect([first.status, first.body.sku]).toEqual([201, body.sku])
    expect((await shop.post('/products', { as: 'seller', body })).status).toBe(409)
  })

  it('creates one product for 20 requests with one SKU', async () => {
    const body = mug()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.post('/products', { as: 'seller', body })),
    )
    expect(answers.map((a) => a.status).sort((a, b) => a - b)).toEqual([201, ...Array<number>(19).fill(409)])
  })

  it('is allowed for sellers and admins only', async () => {
    for (const as of ['customer', 'staff'] as const)
      expect((await shop.post('/products', { as, body: mug() })).status).toBe(403)
    expect((await shop.post('/products', { body: mug() })).status).toBe(401)
  })
})

describe('the Idempotency-Key of create-product', () => {
  it('is required', async () => {
    const answer = await shop.post('/products', { as: 'seller', body: mug(), key: null })
    expect(answer.body).toMatchObject({
      status: 400,
      type: expect.stringContaining('idempotency-key-missing'),
    })
  })

  it('returns the first answer again, byte for byte', async () => {
    const send = newKey()
    const first = await shop.post('/products', send)
    await shop.delete(`/products/${first.body.id}`, { as: 'seller' })
    const again = await shop.post('/products', send)
    expect([again.status, again.text]).toEqual([201, first.text])
    for (const name of ['location', 'etag', 'content-type'])
      expect(again.headers.get(name)).toBe(first.headers.get(name))
  })

  it('is rejected with a different body', async () => {
    const send = newKey()
    await shop.post('/products', send)
    const answer = await shop.post('/products', { ...send, body: mug() })
    expect(answer.body).toMatchObject({
      status: 422,
      type: expect.stringContaining('idempotency-key-reused'),
    })
  })

  it('is separate for each caller', async () => {
    const send = newKey()
    await shop.post('/products', send)
    const answer = await shop.post('/products', { ...send, body: mug(), as: shop.newUser('seller') })
    expect(answer.status).toBe(201)
  })

  it('creates one product for 20 concurrent requests, all with the same answer', async () => {
    const send = newKey()
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.post('/products', send)))
    expect(new Set(answers.map((a) => `${a.status} ${a.text}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(201)
    expect(await documents().countDocuments({ 'creation.key': send.key })).toBe(1)
  })

  it('does not store a rejection, so that the request can be retried', async () => {
    const send = newKey()
    const other = await shop.post('/products', { as: 'seller', body: send.body })
    expect((await shop.post('/products', send)).status).toBe(409)
    await documents().deleteOne({ _id: other.body.id })
    expect((await shop.post('/products', send)).status).toBe(201)
  })

  it('can be used again after a day', async () => {
    const send = newKey()
    const { body } = await shop.post('/products', send)
    const age = (ms: number) =>
      documents().updateOne({ _id: body.id }, { $set: { 'creation.at': new Date(Date.now() - ms) } })
    await age(keyLifetimeMs - 60_000)
    expect((await shop.post('/products', send)).status).toBe(201)
    await age(keyLifetimeMs + 1)
    expect((await shop.post('/products', send)).status).toBe(409)
    const another = await shop.post('/products', { ...send, body: mug() })
    expect(another.status).toBe(201)
    expect(another.body.id).not.toBe(body.id)
  })
})
