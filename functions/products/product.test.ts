import { uuidv7 } from 'uuidv7'
import { describe, expect, it } from 'vitest'
import { newProduct, NewProduct, ProductPatch, remove, toProduct, update } from './product.ts'
import { sortKey } from './sort-key.ts'

const mug = NewProduct.parse({
  sku: 'MUG-1',
  name: 'Café mug',
  category: 'mugs',
  price: { amount: 1290, currency: 'EUR' },
  attributes: { colour: 'blue', volumeMl: 330 },
})
const sellerId = uuidv7()
const attributes = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`a${i}`, i]))

describe('a new product', () => {
  it('has version 1, also in its first event', () => {
    const product = newProduct(mug, sellerId, { traceparent: '00-trace', actor: `seller:${sellerId}` })
    expect(product).toMatchObject({ version: 1, deletedAt: null, description: '', sellerId })
    expect(product.words).toEqual(['mug', '1', 'cafe', 'mugs'])
    expect(product.outbox).toMatchObject([
      {
        type: 'product.created',
        traceparent: '00-trace',
        actor: `seller:${sellerId}`,
        data: { productId: product._id, sku: 'MUG-1', price: mug.price, sellerId, version: 1 },
      },
    ])
  })

  it('rejects invalid attributes, such as names that are special in MongoDB', () => {
    for (const name of ['$set', 'a.b', '', 'x'.repeat(51), 'a\u0000b'])
      expect(NewProduct.safeParse({ ...mug, attributes: { [name]: 1 } }).success).toBe(false)
    for (const value of [null, [], {}, Number.POSITIVE_INFINITY])
      expect(NewProduct.safeParse({ ...mug, attributes: { a: value } }).success).toBe(false)
  })

  it('has at most 50 attributes', () => {
    expect(NewProduct.safeParse({ ...mug, attributes: attributes(50) }).success).toBe(true)
    expect(NewProduct.safeParse({ ...mug, attributes: attributes(51) }).success).toBe(false)
    const full = newProduct({ ...mug, attributes: attributes(50) }, sellerId)
    expect(() => update(full, { attributes: { more: 1 } })).toThrow('at most 50')
    expect(update(full, { attributes: { more: 1, a0: null } }).set.attributes).toMatchObject({ more: 1 })
  })
})

describe('an update', () => {
  const product = newProduct(mug, sellerId)

  it('changes only the fields that it contains', () => {
    const patch = ProductPatch.parse({ price: { amount: 990, currency: 'EUR' } })
    const { set, event } = update(product, patch)
    expect(set).toMatchObject({ name: mug.name, category: 'mugs', price: { amount: 990 }, version: 2 })
    expect(set).not.toHaveProperty('sku')
    expect(event).toMatchObject({ type: 'product.updated', data: { version: 2, price: { amount: 990 } } })
  })

  it('keeps the weight and the tax class, which a document of an earlier version does not have', () => {
    expect(toProduct(product)).toMatchObject({ weightGrams: 0, taxClass: 'standard' })
    const { set, event } = update(product, ProductPatch.parse({ weightGrams: 330 }))
    expect(set).toMatchObject({ weightGrams: 330, taxClass: 'standard' })
    expect(event.data).toMatchObject({ weightGrams: 330, taxClass: 'standard' })
    const book = newProduct({ ...mug, weightGrams: 600, taxClass: 'reduced' }, sellerId)
    expect(book.outbox[0]!.data).toMatchObject({ weightGrams: 600, taxClass: 'reduced' })
    const kept = update(book, ProductPatch.parse({ name: 'Book' }))
    expect(kept.set).toMatchObject({ weightGrams: 600, taxClass: 'reduced' })
  })

  it.each([{ weightGrams: -1 }, { weightGrams: 1_000_001 }, { weightGrams: 0.5 }, { taxClass: 'none' }])(
    'refuses %j',
    (wrong) => {
      expect(ProductPatch.safeParse(wrong).success).toBe(false)
      expect(NewProduct.safeParse({ ...mug, ...wrong }).success).toBe(false)
    },
  )

  it('merges attributes and removes those that are null', () => {
    const patch = ProductPatch.parse({ attributes: { colour: null, volumeMl: 400, lid: true } })
    expect(update(product, patch).set.attributes).toEqual({ volumeMl: 400, lid: true })
    expect(product.attributes).toEqual({ colour: 'blue', volumeMl: 330 })
  })

  it('updates the words for searching', () => {
    expect(update(product, { name: 'Teapot' }).set).toMatchObject({
      words: ['mug', '1', 'teapot', 'mugs'],
      nameKey: sortKey('Teapot'),
    })
  })
})

it('a deletion keeps the SKU and emits the new version', () => {
  const product = newProduct(mug, sellerId)
  const { set, event } = remove(product)
  expect(set).toMatchObject({ version: 2, words: [], deletedAt: expect.any(Date) })
  expect(event.data).toEqual({ productId: product._id, sku: 'MUG-1', version: 2 })
})
