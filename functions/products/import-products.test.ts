import { randomUUID } from 'node:crypto'
import { FindCursor } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { linesIn } from '../../test/openapi.ts'
import { openShop, type Send, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const sku = () => `SKU-${randomUUID().toUpperCase()}`
const mug = (more: object = {}) => ({
  sku: sku(),
  name: 'Enamel mug',
  description: 'Dents, but does not break.',
  category: 'mugs',
  price: { amount: 1290, currency: 'EUR' },
  attributes: { colour: 'blue', volumeMl: 330 },
  ...more,
})
const ndjson = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const type = { 'content-type': 'application/x-ndjson' }
const importAll = async (lines: readonly object[], send: Send = {}) => {
  const answer = await shop.post('/products/import', {
    as: 'seller',
    ...send,
    body: ndjson(lines),
    headers: type,
  })
  return answer.status === 200 ? linesIn(answer.text) : [answer.body]
}
const exportAll = async (send: Send = { as: 'seller' }) =>
  linesIn((await shop.get('/products/export', send)).text)
const bySku = async (wanted: string) => (await shop.get(`/products?sku=${wanted}`)).body.items[0]
const eventsOf = async (wanted: string) => (await shop.emitted(wanted)).map(({ type }) => type)

describe('import-products', () => {
  it('creates products, changes those that differ, and leaves the others alone', async () => {
    const [a, b, c] = [mug(), mug(), mug()]
    const first = await importAll([a, b, c])
    expect(first).toEqual([
      ...[a, b, c].map(({ sku }, i) => ({
        line: i + 1,
        status: 'done',
        sku,
        productId: expect.any(String),
        result: 'created',
      })),
      { status: 'finished', done: 3, refused: 0 },
    ])
    expect(await bySku(a.sku)).toMatchObject({ ...a, version: 1, sellerId: shop.users.seller.id })
    const changed = { ...b, name: 'Mug', attributes: { colour: 'red' } }
    const again = await importAll([a, changed, c])
    expect(again.map(({ result }) => result)).toEqual(['unchanged', 'updated', 'unchanged', undefined])
    expect(await bySku(b.sku)).toMatchObject({ ...changed, version: 2, id: first[1].productId })
    expect(await eventsOf(a.sku)).toEqual(['product.created'])
    await expect.poll(() => eventsOf(b.sku)).toEqual(['product.created', 'product.updated'])
  })

  it('can be sent again after it broke off, and leads to the same', async () => {
    const lines = Array.from({ length: 30 }, () => mug())
    await importAll(lines.slice(0, 13))
    expect((await importAll(lines)).map(({ result }) => result)).toEqual([
      ...Array.from({ length: 30 }, (_, i) => (i < 13 ? 'unchanged' : 'created')),
      undefined,
    ])
  })

  it('refuses bad lines and does the others', async () => {
    const [a, b] = [mug(), mug()]
    const deleted = mug()
    const { id } = await shop.create('/products', { as: 'seller', body: deleted })
    await shop.delete(`/products/${id}`, { as: 'seller' })
    const others = mug()
    await shop.create('/products', { as: shop.newUser('seller'), body: others })
    const answers = await importAll([a, { ...mug(), name: '' }, others, deleted, { ...mug(), colour: 1 }, b])
    expect(answers.map(({ status, type: problem }) => [status, problem?.split('/').at(-1)])).toEqual([
      ['done', undefined],
      ['refused', 'invalid-request'],
      ['refused', 'sku-taken'],
      ['refused', 'sku-taken'],
      ['refused', 'invalid-request'],
      ['done', undefined],
      ['finished', undefined],
    ])
    expect(answers[1].errors[0].pointer).toBe('/line/name')
    expect(await bySku(others.sku)).toMatchObject({ name: others.name, version: 1 })
  })

  it('takes the last of several lines with one SKU', async () => {
    const a = mug()
    const answers = await importAll([
      a,
      { ...a, name: 'Second' },
      { ...a, sku: a.sku.toLowerCase(), name: 'Third' },
    ])
    expect(answers.map(({ result }) => result)).toEqual(['created', 'updated', 'updated', undefined])
    expect(await bySku(a.sku)).toMatchObject({ name: 'Third', version: 3 })
  })

  it('creates each product once, even if the same lines are sent twice at the same time', async () => {
    const lines = Array.from({ length: 60 }, () => mug())
    const all = await Promise.all([importAll(lines), importAll(lines)])
    const results = all.map((answers) => answers.slice(0, -1).map(({ result }) => result))
    for (let i = 0; i < lines.length; i++)
      expect(new Set(results.map((each) => each[i]))).toEqual(new Set(['created', 'unchanged']))
  })

  it('adds variants to a product, with their problems', async () => {
    const first = mug({ options: { size: 'M' } })
    const { id } = await shop.create('/products', { as: 'seller', body: first })
    const answers = await importAll([
      mug({ variantOf: id, options: { size: 'L' } }),
      mug({ variantOf: id, options: { size: 'M' } }),
      mug({ variantOf: id, options: { colour: 'red' } }),
    ])
    expect(answers.map(({ status, type: problem }) => [status, problem?.split('/').at(-1)])).toEqual([
      ['done', undefined],
      ['refused', 'variant-taken'],
      ['refused', 'invalid-request'],
      ['finished', undefined],
    ])
  })

  it('lets admins change the products of all, which stay their sellers’', async () => {
    const a = mug()
    await importAll([a])
    const [answer] = await importAll([{ ...a, name: 'Cup' }], { as: 'admin' })
    expect(answer).toMatchObject({ status: 'done', result: 'updated' })
    expect(await bySku(a.sku)).toMatchObject({ name: 'Cup', sellerId: shop.users.seller.id })
  })

  it('is for sellers and admins only', async () => {
    for (const as of ['customer', 'staff'] as const)
      expect(await importAll([mug()], { as })).toMatchObject([{ status: 403 }])
    expect(await importAll([mug()], { as: undefined })).toMatchObject([{ status: 401 }])
  })

  it('reads no more than it has handled: 5,000 lines arrive as they are wanted', async () => {
    let sent = 0
    const lines = 5_000
    const body = new ReadableStream(
      {
        pull(controller) {
          if (sent === lines) return controller.close()
          controller.enqueue(Buffer.from(ndjson(Array.from({ length: 50 }, () => mug()))))
          sent += 50
        },
      },
      { highWaterMark: 0 },
    )
    const response = await shop.app.request('/api/v1/products/import', {
      method: 'POST',
      body,
      headers: { ...type, authorization: `Bearer ${await shop.sign(shop.newUser('seller'))}` },
      duplex: 'half',
    })
    const answers = response.body!.getReader()
    const { value } = await answers.read()
    expect(linesIn(Buffer.from(value).toString())).toHaveLength(50)
    expect(sent).toBeLessThanOrEqual(200)
    await answers.cancel()
    expect(sent).toBeLessThanOrEqual(200)
  })
})

describe('export-products', () => {
  it('returns what can be imported again, and changes nothing', async () => {
    const seller = shop.newUser('seller')
    const lines = [mug(), mug({ attributes: {}, description: '' }), mug({ tags: ['gift'], weightGrams: 200 })]
    await importAll(lines, { as: seller })
    const exported = await exportAll({ as: seller })
    expect(exported).toMatchObject(lines)
    expect((await importAll(exported, { as: seller })).map(({ result }) => result)).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
      undefined,
    ])
  })

  it('has the products of the seller, or all for admins, without those that are deleted', async () => {
    const [seller, other] = [shop.newUser('seller'), shop.newUser('seller')]
    const [mine, gone, theirs] = [mug(), mug(), mug()]
    await importAll([mine], { as: seller })
    await importAll([theirs], { as: other })
    const { id } = await shop.create('/products', { as: seller, body: gone })
    await shop.delete(`/products/${id}`, { as: seller })
    const skus = async (send: Send) => (await exportAll(send)).map(({ sku }) => sku)
    expect(await skus({ as: seller })).toEqual([mine.sku])
    expect(await skus({ as: shop.newUser('seller') })).toEqual([])
    const all = await skus({ as: 'admin' })
    expect(all).toEqual(expect.arrayContaining([mine.sku, theirs.sku]))
    expect(all).not.toContain(gone.sku)
    expect((await shop.get('/products/export', { as: 'staff' })).status).toBe(403)
    expect((await shop.get('/products/export')).status).toBe(401)
  })

  it('reads products only when they are wanted', async () => {
    const seller = shop.newUser('seller')
    await importAll(
      Array.from({ length: 450 }, () => mug()),
      { as: seller },
    )
    const read = vi.spyOn(FindCursor.prototype, 'readBufferedDocuments')
    const sized = vi.spyOn(FindCursor.prototype, 'batchSize')
    onTestFinished(() => {
      read.mockRestore()
      sized.mockRestore()
    })
    // the search reads products, too
    const reads = () => read.mock.contexts.filter((cursor) => cursor === sized.mock.contexts[0])
    const headers = { authorization: `Bearer ${await shop.sign(seller)}` }
    const response = await shop.app.request('/api/v1/products/export', { headers })
    const reader = response.body!.getReader()
    const { value } = await reader.read()
    expect(linesIn(Buffer.from(value).toString())).toHaveLength(200)
    expect(reads()).toHaveLength(1)
    let rest = ''
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += Buffer.from(part.value).toString()
    expect(linesIn(rest)).toHaveLength(250)
    expect(reads()).toHaveLength(3)
  })
})
