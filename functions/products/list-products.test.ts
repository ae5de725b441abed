import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forge } from '../../test/cursors.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { newProduct, type NewProduct, type Product } from './product.ts'
import { wantedWords, wordsOf } from './words.ts'

let shop: TestShop
const names = ['Blue mug', 'Bluish mug', 'Café kit', 'Élan chain', 'chain tool', 'Über-Kit', 'Zange', 'zange']
/** The shop's products, with the fields on which the list depends. */
type Listed = Omit<NewProduct, 'attributes'> & { id: string }
const all: Listed[] = []

beforeAll(async () => {
  shop = await openShop(['products'])
  const { products } = shop.deps('products')
  for (let i = 0; i < 60; i++) {
    const input: NewProduct = {
      sku: `SKU-${i}`,
      name: names[(i * 7) % names.length]!,
      description: i % 5 === 0 ? 'Sold in [packs] of 100.' : '',
      category: ['mugs', 'tools'][i % 2]!,
      price: { amount: ((i * 13) % 20) * 100, currency: ['EUR', 'EUR', 'USD'][i % 3]! },
      attributes: {},
    }
    const document = newProduct(input, shop.users.seller.id)
    await products.insertOne(document)
    if (i % 10 === 9) await shop.delete(`/products/${document._id}`, { as: 'seller' })
    else all.push({ ...input, id: document._id })
  }
})
afterAll(() => shop.close())

type Query = Record<string, string | number>

const list = (query: Query) => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) search.set(name, String(value))
  return shop.get(`/products?${search.toString()}`)
}
const skus = (products: { sku: string }[]) => products.map(({ sku }) => sku)

/** Reads every page of a list. */
async function listAll(query: Query): Promise<Product[]> {
  const items: Product[] = []
  let next: string | undefined
  do {
    const { status, body } = await list({ ...query, ...(next === undefined ? {} : { cursor: next }) })
    expect(status).toBe(200)
    items.push(...body.items)
    next = body.next
  } while (next !== undefined)
  return items
}

/** Returns the score of a product for words of fewer than four letters, which no edit changes. */
const scoreOf = ({ name, ...p }: Listed, q: string) => {
  const inName = wordsOf(name)
  const inText = wordsOf(`${p.sku} ${p.description} ${p.category}`)
  const best = (w: string) =>
    Math.max(
      ...inName.map((word) => (word === w ? 100 : word.startsWith(w) ? 60 : 0)),
      // a word that is in the name, too, counts as such
      ...inText.map((word) => (inName.includes(word) ? 0 : word === w ? 20 : word.startsWith(w) ? 12 : 0)),
    )
  return wantedWords(q).reduce((sum, w) => sum + best(w), 0)
}

const { compare: compareTexts } = new Intl.Collator('und')
const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0)
const byPrice = (a: Listed, b: Listed) =>
  compare(a.price.currency, b.price.currency) || a.price.amount - b.price.amount || compare(a.id, b.id)
const orders: Record<string, (a: Listed, b: Listed) => number> = {
  newest: (a, b) => compare(b.id, a.id),
  price: byPrice,
  '-price': (a, b) => byPrice(b, a),
  name: (a, b) => compareTexts(a.name, b.name) || compare(a.id, b.id),
}

/** Returns the expected list, computed in the simplest way. */
const expected = ({ q, category, currency, minPrice, maxPrice, sort }: Query): Listed[] =>
  all
    .filter((p) => {
      const words = wordsOf(`${p.sku} ${p.name} ${p.description} ${p.category}`)
      return (
        (q === undefined || wantedWords(String(q)).every((w) => words.some((word) => word.startsWith(w)))) &&
        (category === undefined || p.category === category) &&
        (currency === undefined || p.price.currency === currency) &&
        p.price.amount >= Number(minPrice ?? 0) &&
        p.price.amount <= Number(maxPrice ?? Infinity)
      )
    })
    .sort(
      sort === undefined && String(q ?? '').trim() !== ''
        ? (a, b) => scoreOf(b, String(q)) - scoreOf(a, String(q)) || compare(b.id, a.id)
        : orders[sort ?? 'newest'],
    )

describe('list-products', () => {
  it('shows anyone the newest 20 products and links to the next page', async () => {
    const answer = await list({})
    expect(answer.status).toBe(200)
    expect(skus(answer.body.items)).toEqual(skus(expected({})).slice(0, 20))
    expect(answer.headers.get('link')).toBe(`</api/v1/products?cursor=${answer.body.next}>; rel="next"`)
    const { body: one } = await shop.get(`/products/${answer.body.items[0].id}`)
    expect(answer.body.items[0]).toEqual(one)
  })

  it.each([
    ['BLU', ['Blue mug', 'Bluish mug']],
    ['blue', ['Blue mug']],
    ['mug blu', ['Blue mug', 'Bluish mug']],
    ['cafe', ['Café kit']],
    ['über kit', ['Über-Kit']],
    ['^blue$', ['Blue mug']],
    ['ug', []],
    ['blue chain', []],
    ['.*', []],
  ])('finds words by their beginning, ignoring case and accents: %s', async (q, found) => {
    const { body } = await list({ q, limit: 100 })
    expect(new Set(body.items.map((p: Product) => p.name))).toEqual(new Set(found))
  })

  it('finds a product by its own name and description, however many words they have', async () => {
    const q = 'a mug to be sold in [packs] of 100: one two three four five six seven eight'
    const body = {
      sku: randomUUID().toUpperCase(),
      name: q,
      category: 'x',
      price: { amount: 1, currency: 'EUR' },
    }
    const added = await shop.create('/products', { as: 'seller', body })
    expect(skus((await list({ q })).body.items)).toEqual([added.sku])
    await shop.delete(`/products/${added.id}`, { as: 'seller' })
  })

  it.each(['SKU-7', 'sku-7'])('finds a product by its SKU and shows its version: %s', async (sku) => {
    const { body } = await list({ sku })
    expect(body).toEqual({ items: [expect.objectContaining({ sku: 'SKU-7', version: 1 })] })
    expect((await list({ sku: 'SKU-9' })).body).toEqual({ items: [] })
  })

  it('returns what a simple filter and sort return, for any filters, order and page size', async () => {
    const query = fc.record(
      {
        q: fc.constantFrom('mug', 'blu', 'k', 'c', 'mug blu', 'zan', '10', 'sku 1', 'm to', '  '),
        category: fc.constantFrom('mugs', 'tools', 'none'),
        minPrice: fc.integer({ min: 0, max: 2000 }),
        maxPrice: fc.integer({ min: 0, max: 2000 }),
        sort: fc.constantFrom('newest', 'price', '-price', 'name'),
        limit: fc.constantFrom(1, 2, 7, 100),
        currency: fc.constantFrom('EUR', 'USD'),
      },
      { requiredKeys: ['limit', 'currency'] },
    )
    await fc.assert(
      fc.asyncProperty(query, fc.boolean(), async (query, everyCurrency) => {
        const { currency: _, minPrice: __, maxPrice: ___, ...unpriced } = query
        const sent: Query = everyCurrency ? unpriced : query
        expect(skus(await listAll(sent))).toEqual(skus(expected(sent)))
      }),
      { numRuns: 60 },
    )
  })

  it('repeats and skips no product if others are added between pages', async () => {
    const first = await list({ sort: 'newest', limit: 10 })
    const body = {
      sku: randomUUID().toUpperCase(),
      name: 'New',
      category: 'x',
      price: { amount: 1, currency: 'EUR' },
    }
    const { body: added } = await shop.post('/products', { as: 'seller', body })
    const second = await list({ sort: 'newest', limit: 10, cursor: first.body.next })
    await shop.delete(`/products/${added.id}`, { as: 'seller' })
    expect(skus([...first.body.items, ...second.body.items])).toEqual(skus(expected({})).slice(0, 20))
  })

  it.each([
    ['/query/limit', { limit: 0 }],
    ['/query/limit', { limit: 101 }],
    ['/query/sort', { sort: 'sellerId' }],
    ['/query/currency', { minPrice: 1 }],
    ['/query/currency', { maxPrice: 1 }],
    ['/query/minPrice', { minPrice: -1, currency: 'EUR' }],
    ['/query/minPrice', { minPrice: 'cheap', currency: 'EUR' }],
    ['/query/cursor', { cursor: 'nonsense' }],
    ['/query/sku[$ne]', { 'sku[$ne]': 'x' }],
  ])('rejects an invalid value at %s', async (pointer, query: Query) => {
    const answer = await list(query)
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer }] })
  })

  it('rejects a forged cursor', async () => {
    const { next } = (await list({ sort: 'price', limit: 1 })).body
    expect((await list({ sort: 'price', cursor: forge(next, 'EUR', 1, 'x') })).status).toBe(200)
    for (const values of [['a'], [{ $gt: '' }, 1, 'x'], ['EUR', '1', 'x']])
      expect((await list({ sort: 'price', cursor: forge(next, ...values) })).body).toMatchObject({
        status: 400,
        errors: [{ pointer: '/query/cursor' }],
      })
  })
})

describe('a search', () => {
  const price = { amount: 500, currency: 'GBP' }
  const lamps: Record<string, object> = {
    headlight: { name: 'Headlight', description: 'Runs on a dynamo', price },
    dynamo: { name: 'Dynamo', attributes: { colour: 'black' }, price: { ...price, amount: 4900 } },
    dynamos: { name: 'Dynamos, a pair', tags: ['pair'], price: { ...price, amount: 9900 } },
    bell: { name: 'Bell', sku: 'DYNAMO', category: 'Bells', attributes: { colour: 'brass', loud: true } },
  }
  const ids = new Map<string, string>()
  beforeAll(async () => {
    for (const [name, more] of Object.entries(lamps)) {
      const body = { sku: `LAMP-${name}`, category: 'Lamps', price, ...more }
      ids.set((await shop.create('/products', { as: 'seller', body })).id, name)
    }
    const { items } = (await shop.get('/categories')).body
    const below = (slug: string) => items.find((each: { slug: string }) => each.slug === slug)
    await shop.patch(`/categories/${below('bells').id}`, {
      as: 'admin',
      ifMatch: '*',
      body: { parentId: below('lamps').id },
    })
  })

  const search = async (query: string) => {
    const { status, body } = await shop.get(`/products?${query}`)
    expect(status).toBe(200)
    return body.items.map(({ id }: Product) => ids.get(id))
  }

  it('shows the product with this SKU first, then names before other texts, and words before beginnings', async () => {
    expect(await search('q=dynamo')).toEqual(['bell', 'dynamo', 'dynamos', 'headlight'])
    expect(await search('q=dynamo&sort=newest')).toEqual(['bell', 'dynamos', 'dynamo', 'headlight'])
  })

  it.each(['headligt', 'haedlight', 'headliight', 'hoadlight', 'HEADLIGHX'])(
    'forgives one edit in a word: %s',
    async (q) => expect(await search(`q=${q}`)).toEqual(['headlight']),
  )

  it.each(['haedligt', 'bel1', 'xell', 'be', 'sku-1x'])(
    'forgives no more, and not in numbers: %s',
    async (q) => {
      expect(await search(`q=${q}`)).toEqual(q === 'be' || q === 'xell' ? ['bell'] : [])
    },
  )

  it.each([
    ['category=lamps', ['bell', 'dynamos', 'dynamo', 'headlight']],
    ['category=bells', ['bell']],
    ['category=lamps&attribute=colour:black', ['dynamo']],
    ['category=lamps&attribute=colour:black&attribute=colour:brass', ['bell', 'dynamo']],
    ['category=lamps&attribute=colour:brass&attribute=loud:true', ['bell']],
    ['category=lamps&attribute=colour:black&attribute=loud:true', []],
    ['category=lamps&tag=pair', ['dynamos']],
    ['category=lamps&currency=GBP&minPrice=4900&maxPrice=9000', ['dynamo']],
    ['category=lamps&availability=unavailable', ['bell', 'dynamos', 'dynamo', 'headlight']],
    ['category=lamps&availability=low', []],
  ])('filters by %s', async (query, found) => {
    expect(await search(query)).toEqual(found)
  })

  it('counts what each filter would find, disregarding those of its own kind', async () => {
    const { body } = await shop.get('/products?category=lamps&attribute=colour:black&facets=true')
    expect(body.items).toHaveLength(1)
    expect(body.facets).toMatchObject({
      total: 1,
      price: [{ currency: 'GBP', minPrice: 2000, maxPrice: 4999, count: 1 }],
      attributes: [
        {
          name: 'colour',
          values: [
            { value: 'black', count: 1 },
            { value: 'brass', count: 1 },
          ],
        },
      ],
      tag: [],
      availability: [{ value: 'unavailable', count: 1 }],
    })
    const { body: all } = await shop.get('/products?q=dynamo&facets=true&limit=1')
    expect(all.facets).toMatchObject({
      total: 4,
      category: [
        { value: 'lamps', count: 4 },
        { value: 'bells', count: 1 },
      ],
      tag: [{ value: 'pair', count: 1 }],
      price: [
        { minPrice: 0, maxPrice: 999, count: 2 },
        { minPrice: 2000, count: 1 },
        { minPrice: 5000, maxPrice: 9999, count: 1 },
      ],
    })
    for (const { currency, minPrice, maxPrice, count } of all.facets.price)
      expect(
        await search(`q=dynamo&currency=${currency}&minPrice=${minPrice}&maxPrice=${maxPrice}`),
      ).toHaveLength(count)
  })

  it('counts nothing unless asked', async () => {
    expect((await shop.get('/products?q=dynamo')).body).not.toHaveProperty('facets')
  })

  it('repeats and skips no product on the pages of a ranked search', async () => {
    const pages = await listAll({ q: 'dynamo', limit: 1 })
    expect(pages.map(({ id }) => ids.get(id))).toEqual(['bell', 'dynamo', 'dynamos', 'headlight'])
  })

  it.each([
    ['/query/attribute/0', 'attribute=colour'],
    ['/query/availability', 'availability=some'],
    ['/query/facets', 'facets=yes'],
    ['/query/tag', 'tag='],
  ])('rejects an invalid value at %s', async (pointer, query) => {
    expect((await shop.get(`/products?${query}`)).body).toMatchObject({ status: 400, errors: [{ pointer }] })
  })
})
