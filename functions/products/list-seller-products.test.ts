import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const sell = (as: User, name: string, amount = 100): Promise<{ id: string }> => {
  const body = { sku: randomUUID(), name, category: 'lamps', price: { amount, currency: 'EUR' } }
  return shop.create('/products', { as, body })
}

it('lists what one seller sells, in pages and in any order', async () => {
  const [seller, other] = [shop.newUser('seller'), shop.newUser('seller')]
  const products = [
    await sell(seller, 'Lamp', 300),
    await sell(seller, 'Bulb', 100),
    await sell(seller, 'Cable', 200),
  ]
  await sell(other, 'Lamp')
  const path = `/sellers/${seller.id}/products`
  const first = await shop.get(`${path}?limit=2`)
  expect(first.body.items).toEqual([products[2], products[1]])
  expect(first.headers.get('link')).toContain(`</api/v1${path}?limit=2&cursor=`)
  const second = await shop.get(`${path}?limit=2&cursor=${first.body.next}`)
  expect(second.body).toEqual({ items: [products[0]] })
  for (const [sort, order] of Object.entries({ price: [1, 2, 0], '-price': [0, 2, 1], name: [1, 2, 0] }))
    expect((await shop.get(`${path}?sort=${sort}`)).body.items).toEqual(order.map((n) => products[n]))
  const elsewhere = await shop.get(`/sellers/${other.id}/products?limit=2&cursor=${first.body.next}`)
  expect(elsewhere.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/cursor' }] })
})

it('returns 404 for a seller who sells nothing', async () => {
  const seller = shop.newUser('seller')
  const { id } = await sell(seller, 'Lamp')
  await shop.delete(`/products/${id}`, { as: seller })
  for (const none of [seller.id, uuidv7()])
    expect((await shop.get(`/sellers/${none}/products`)).status).toBe(404)
})

it('rejects an order by relevance, because nothing is searched for', async () => {
  const answer = await shop.get(`/sellers/${uuidv7()}/products?sort=relevance`)
  expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/sort' }] })
})
