import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../test/shop.ts'
import { people } from '../local/people.ts'
import { seed } from './seed.ts'

let shop: TestShop
beforeEach(async () => {
  shop = await openShop(['users', 'stock', 'products'])
})
afterEach(() => shop.close())

const fill = () =>
  seed(
    { users: shop.database('users'), stock: shop.database('stock'), products: shop.mongodb },
    'workshop-demo',
  )

const emails = async () =>
  (await shop.deps('users').db.client<{ email: string }[]>`select email from users.users order by email`).map(
    ({ email }) => email,
  )

describe('seeding', () => {
  it('fills an empty shop', async () => {
    await fill()
    expect(await emails()).toEqual(people.map(({ email }) => email).toSorted())
    const { body } = await shop.get('/products?limit=100')
    expect(body.items.length).toBeGreaterThan(5)
    for (const { sku } of body.items)
      expect((await shop.get(`/stock/${sku}`)).body.available).toBeGreaterThan(0)
  })

  it('does not bring back deleted users', async () => {
    await fill()
    await shop.deps('users').db.client`delete from users.users where email = 'admin@example.com'`
    await fill()
    expect(await emails()).not.toContain('admin@example.com')
    await shop.deps('users').db.client`delete from users.users`
    await fill()
    expect(await emails()).toEqual([])
  })

  it('does not change a shop that already has users', async () => {
    await shop.post('/users', {
      body: { email: 'ada@example.com', password: 'correct horse', name: 'Ada' },
    })
    await fill()
    expect(await emails()).toEqual(['ada@example.com'])
    expect((await shop.get('/products')).body.items).toEqual([])
  })

  it('resumes after it was interrupted', async () => {
    const { products } = shop.deps('products')
    // stock's database cannot be reached
    const broken = seed(
      {
        users: shop.database('users'),
        stock: 'postgres://stock:wrong@127.0.0.1:9/none',
        products: shop.mongodb,
      },
      'workshop-demo',
    )
    await expect(broken).rejects.toThrow('ECONNREFUSED')
    expect(await emails()).toHaveLength(people.length)
    await fill()
    const { sku } = (await products.findOne({}))!
    expect((await shop.get(`/stock/${sku}`)).body.available).toBeGreaterThan(0)
  })
})
