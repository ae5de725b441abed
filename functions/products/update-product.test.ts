import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const create = async () => {
  const body = {
    sku: randomUUID().toUpperCase(),
    name: 'Enamel mug',
    category: 'mugs',
    price: { amount: 1290, currency: 'EUR' },
    attributes: { colour: 'blue', volumeMl: 330 },
  }
  return (await shop.post('/products', { as: 'seller', body })).body
}

it('changes only the given fields and emits product.updated', async () => {
  const product = await create()
  const body = { price: { amount: 990, currency: 'EUR' }, attributes: { colour: null, lid: true } }
  const answer = await shop.patch(`/products/${product.id}`, { as: 'seller', ifMatch: '"1"', body })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('etag')).toBe('"2"')
  expect(answer.body).toEqual({
    ...product,
    price: body.price,
    attributes: { volumeMl: 330, lid: true },
    version: 2,
    updatedAt: expect.any(String),
  })
  expect((await shop.get(`/products/${product.id}`)).text).toBe(answer.text)

  expect(await shop.emitted(product.sku)).toMatchObject([
    { type: 'product.created', data: { version: 1, price: { amount: 1290 } } },
    { type: 'product.updated', data: { version: 2, price: { amount: 990 } } },
  ])
})

it('replaces tags and images as a whole', async () => {
  const { id } = await create()
  const change = async (body: object) =>
    (await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body })).body
  const images = [{ url: 'https://example.com/1.jpg', alt: '' }]
  expect(await change({ tags: ['Steel', 'new'], images })).toMatchObject({ tags: ['steel', 'new'], images })
  expect(await change({ tags: ['sale'] })).toMatchObject({ tags: ['sale'], images })
  expect(await change({ images: [] })).toMatchObject({ tags: ['sale'], images: [] })
})

it('makes the product findable by its new words', async () => {
  const { id } = await create()
  await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body: { name: 'Samovar' } })
  const { body } = await shop.get('/products?q=samovar')
  expect(body.items.map((p: { id: string }) => p.id)).toEqual([id])
})

it('requires the current version', async () => {
  const { id } = await create()
  const body = { name: 'Cup' }
  const missing = await shop.patch(`/products/${id}`, { as: 'seller', body })
  expect(missing.body).toMatchObject({ status: 428, type: expect.stringContaining('if-match-missing') })
  expect((await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '"1"', body })).status).toBe(200)
  for (const ifMatch of ['"1"', '"3"', 'W/"2"', 'nonsense']) {
    const stale = await shop.patch(`/products/${id}`, { as: 'seller', ifMatch, body })
    expect(stale.body).toMatchObject({ status: 412, type: expect.stringContaining('stale-version') })
  }
})

it('is allowed for the product’s seller and for admins only', async () => {
  const { id } = await create()
  const send = { ifMatch: '*', body: { name: 'Cup' } }
  expect((await shop.patch(`/products/${id}`, { ...send, as: 'admin' })).status).toBe(200)
  expect((await shop.patch(`/products/${id}`, { ...send, as: shop.newUser('seller') })).status).toBe(404)
  expect((await shop.patch(`/products/${id}`, { ...send, as: 'staff' })).status).toBe(403)
  expect((await shop.patch(`/products/${id}`, { ...send, as: 'customer' })).status).toBe(403)
  expect((await shop.patch(`/products/${id}`, send)).status).toBe(401)
})

it('returns 404 for an unknown or deleted product', async () => {
  const { id } = await create()
  await shop.delete(`/products/${id}`, { as: 'seller' })
  for (const gone of [id, uuidv7()]) {
    const answer = await shop.patch(`/products/${gone}`, { as: 'admin', ifMatch: '*', body: { name: 'Cup' } })
    expect(answer.status).toBe(404)
  }
})

it.each([
  ['/body/sku', { sku: 'OTHER' }],
  ['/body/sellerId', { sellerId: uuidv7() }],
  ['/body/name', { name: '' }],
  ['/body/name', { name: null }],
  ['/body/price/currency', { price: { amount: 1 } }],
  ['/body/attributes/a.b', { attributes: { 'a.b': null } }],
])('rejects an invalid value at %s', async (pointer, body) => {
  const { id } = await create()
  const answer = await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body })
  expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer }] })
})

it('rejects a change after which the product would have more than 50 attributes', async () => {
  const { id } = await create()
  const attributes = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`a${i}`, i]))
  const answer = await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body: { attributes } })
  expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/body/attributes' }] })
})

it('accepts one of 50 concurrent changes to the same version', async () => {
  const { id } = await create()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '"1"', body: { name: `Mug ${i}` } }),
    ),
  )
  expect(answers.map((a) => a.status).sort((a, b) => a - b)).toEqual([200, ...Array<number>(49).fill(412)])
  const { text } = answers.find((a) => a.status === 200)!
  expect((await shop.get(`/products/${id}`)).text).toBe(text)
})

it('loses no change if clients read again and retry after each rejection', async () => {
  const { id } = await create()
  const write = async (n: number): Promise<void> => {
    for (;;) {
      const read = await shop.get(`/products/${id}`)
      const { status } = await shop.patch(`/products/${id}`, {
        as: 'seller',
        ifMatch: read.headers.get('etag')!,
        body: { price: { amount: read.body.price.amount + n, currency: 'EUR' } },
      })
      if (status === 200) return
      expect(status).toBe(412)
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, i) => write(10 ** i)))
  const { body } = await shop.get(`/products/${id}`)
  expect([body.version, body.price.amount]).toEqual([9, 1290 + 11_111_111])
  expect((await shop.emitted(body.sku)).map(({ data }) => (data as { version: number }).version)).toEqual(
    Array.from({ length: 9 }, (_, i) => i + 1),
  )
})

it('applies every concurrent change that matches any version', async () => {
  const { id } = await create()
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body: { attributes: { [`a${i}`]: i } } }),
    ),
  )
  expect(answers.map((a) => a.status)).toEqual(Array(8).fill(200))
  const { body } = await shop.get(`/products/${id}`)
  expect([body.version, Object.keys(body.attributes).length]).toEqual([9, 10])
})
