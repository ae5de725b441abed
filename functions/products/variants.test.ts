import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Send, type TestShop } from '../../test/shop.ts'
import { newProduct } from './product.ts'
import { maxVariants, optionsKey } from './variant.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const price = { amount: 1990, currency: 'EUR' }
const shirt = (more: object = {}) => ({
  sku: randomUUID().toUpperCase(),
  name: 'Shirt',
  category: 'shirts',
  price,
  options: { size: 'M', colour: 'blue' },
  ...more,
})
const add = (more: object = {}, send: Send = {}) =>
  shop.post('/products', { as: 'seller', body: shirt(more), ...send })
const change = (id: string, body: object) =>
  shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body })
const variants = async (group: string) => (await shop.get(`/products?group=${group}`)).body.items

describe('a variant', () => {
  it('has its own SKU, price and events, and the group of the first', async () => {
    const { body: first } = await add()
    expect(first.group).toBe(first.id)
    const more = {
      variantOf: first.id,
      options: { size: 'L', colour: 'blue' },
      price: { ...price, amount: 2190 },
    }
    const { status, body: second } = await add(more)
    const { body: third } = await add({
      ...more,
      variantOf: second.id,
      options: { size: 'S', colour: 'red' },
    })
    expect([status, second.group, third.group]).toEqual([201, first.id, first.id])
    expect(await variants(first.id)).toEqual([third, second, first])
    await expect
      .poll(() => shop.emitted(second.sku))
      .toMatchObject([{ type: 'product.created', data: { sku: second.sku, price: more.price } }])
  })

  it('stays in its group when the first is taken off the shop', async () => {
    const { body: first } = await add()
    const { body: second } = await add({ variantOf: first.id, options: { size: 'L', colour: 'blue' } })
    await shop.delete(`/products/${first.id}`, { as: 'seller' })
    expect(await variants(first.id)).toEqual([second])
    const again = await add({ variantOf: second.id })
    expect([again.status, again.body.group]).toEqual([201, first.id])
    expect((await add({ variantOf: first.id })).body).toMatchObject({
      errors: [{ pointer: '/body/variantOf' }],
    })
  })

  it('may be of a product of an earlier version, once that has options', async () => {
    const { products } = shop.deps('products')
    const { body: old } = await add({ options: {} })
    await products.updateOne({ _id: old.id }, { $unset: { group: '', options: '' } })
    expect((await shop.get(`/products/${old.id}`)).body).toMatchObject({ group: old.id, options: {} })
    expect((await add({ variantOf: old.id })).body).toMatchObject({
      errors: [{ pointer: '/body/variantOf', detail: expect.stringContaining('no options') }],
    })
    expect(await variants(old.id)).toMatchObject([{ id: old.id }])
    expect((await change(old.id, { options: { size: 'S', colour: 'blue' } })).status).toBe(200)
    expect((await add({ variantOf: old.id })).status).toBe(201)
    expect((await add({ variantOf: old.id, options: { size: 'S', colour: 'blue' } })).status).toBe(409)
  })

  it('has options that no other variant has, however they are written', async () => {
    const { body: first } = await add()
    const answer = await add({ variantOf: first.id, options: { colour: 'BLUE', size: 'm' } })
    expect(answer.body).toMatchObject({
      status: 409,
      type: expect.stringContaining('variant-taken'),
      detail: expect.stringContaining('colour BLUE, size m'),
    })
    const { body: second } = await add({ variantOf: first.id, options: { size: 'L', colour: 'blue' } })
    expect((await change(second.id, { options: first.options })).status).toBe(409)
    await shop.delete(`/products/${first.id}`, { as: 'seller' })
    expect((await change(second.id, { options: first.options })).status).toBe(200)
  })

  it('is added once for 10 concurrent requests with the same options', async () => {
    const { body: first } = await add()
    const options = { size: 'XL', colour: 'blue' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => add({ variantOf: first.id, options })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
  })

  it('has the same options as the others', async () => {
    const { body: first } = await add()
    for (const options of [undefined, {}, { size: 'L' }, { size: 'L', colour: 'red', cut: 'slim' }])
      expect((await add({ variantOf: first.id, options })).body).toMatchObject({
        status: 400,
        errors: [{ pointer: '/body/options', detail: expect.stringContaining('colour, size') }],
      })
    expect((await change(first.id, { options: { size: 'L' } })).status).toBe(200)
    await add({ variantOf: first.id, options: { size: 'S' } })
    expect((await change(first.id, { options: { cut: 'slim' } })).body).toMatchObject({
      errors: [{ pointer: '/body/options' }],
    })
  })

  it('is of a product of the same seller, unless an admin adds it', async () => {
    const { body: first } = await add()
    const more = { variantOf: first.id, options: { size: 'L', colour: 'red' } }
    for (const answer of [
      await add(more, { as: shop.newUser('seller') }),
      await add({ variantOf: uuidv7() }),
    ])
      expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/body/variantOf' }] })
    expect((await add(more, { as: 'admin' })).status).toBe(201)
  })

  it('is found by its options', async () => {
    const { body } = await add({ options: { colour: 'cerulean' } })
    expect((await shop.get('/products?q=cerulean+shirt')).body.items).toEqual([body])
  })

  it(`is one of at most ${maxVariants}`, async () => {
    const { body: first } = await add({ options: { number: '0' } })
    const { products } = shop.deps('products')
    const { seller } = shop.users
    const one = (n: number) => ({
      ...shirt(),
      description: '',
      attributes: {},
      options: { number: String(n) },
    })
    await products.insertMany(
      Array.from({ length: maxVariants - 1 }, (_, n) => newProduct(one(n + 1), seller.id, {}, first.id)),
    )
    expect((await add({ variantOf: first.id, options: { number: 'one more' } })).body).toMatchObject({
      status: 409,
      type: expect.stringContaining('too-many-variants'),
    })
  })

  it.each([
    ['/body/options', { options: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`o${i}`, 'x'])) }],
    ['/body/options/size', { options: { size: '' } }],
    ['/body/options/size', { options: { size: 40 } }],
    ['/body/options/$size', { options: { $size: 'M' } }],
    ['/body/variantOf', { variantOf: 'MUG' }],
  ])('rejects an invalid value at %s', async (pointer, more) => {
    expect((await add(more)).body).toMatchObject({ status: 400, errors: [{ pointer }] })
  })
})

it('has one key for the same options in any order', () => {
  const options = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { maxKeys: 5 })
  fc.assert(
    fc.property(options, (given) => {
      const turned = Object.fromEntries(Object.entries(given).toReversed())
      expect(optionsKey(turned)).toBe(optionsKey(given))
    }),
  )
  expect(optionsKey({ size: 'M' })).not.toBe(optionsKey({ size: 'L' }))
})
