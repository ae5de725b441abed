import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../../test/shop.ts'
import { openSearch, type Search } from './open-search.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const products = () => shop.deps('products').products
const create = async (name: string) => {
  const price = { amount: 1, currency: 'EUR' }
  const body = { sku: randomUUID(), name, category: 'x', price }
  const { id }: { id: string } = await shop.create('/products', { as: 'seller', body })
  return id
}
const found = async (search: Search, ...wanted: string[]) =>
  [...(await search()).find(wanted)].map(({ entry }) => entry.id)
/** Makes a product as old as if it had not changed for an hour. */
const age = (id: string, ms = 3_600_000) => {
  const at = new Date(Date.now() - ms)
  return products().updateOne({ _id: id }, { $set: { updatedAt: at, 'stock.at': at } })
}

describe('the index of a process', () => {
  it('has what others have added, changed and deleted before a search', async () => {
    const search = openSearch(products())
    const [lamp, ladder] = [await create('Lantern'), await create('Ladder')]
    await age(lamp)
    expect(await found(search, 'lantern')).toEqual([lamp])
    const torch = await create('Lantern, small')
    expect(new Set(await found(search, 'lantern'))).toEqual(new Set([lamp, torch]))
    await shop.patch(`/products/${ladder}`, { as: 'seller', ifMatch: '*', body: { name: 'Lantern pole' } })
    expect(new Set(await found(search, 'lantern'))).toEqual(new Set([lamp, torch, ladder]))
    expect(await found(search, 'ladder')).toEqual([])
    await shop.delete(`/products/${lamp}`, { as: 'seller' })
    expect(new Set(await found(search, 'lantern'))).toEqual(new Set([torch, ladder]))
  })

  it('misses no change of a process whose clock is late', async () => {
    const search = openSearch(products())
    await search()
    const id = await create('Hourglass')
    await age(id, 5_000)
    expect(await found(search, 'hourglass')).toEqual([id])
  })

  it('serves searches at the same time, each with all that was there before', async () => {
    const search = openSearch(products())
    const ids = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const id = await create(`Whistle ${n}`)
        expect(await found(search, 'whistle', String(n))).toContain(id)
        return id
      }),
    )
    expect(new Set(await found(search, 'whistle'))).toEqual(new Set(ids))
  })

  it('is made anew after a while, so that nothing stays missed', async () => {
    let now = Date.now()
    const search = openSearch(products(), () => now)
    await search()
    const id = await create('Sundial')
    await age(id)
    expect(await found(search, 'sundial')).toEqual([])
    now += 16 * 60_000
    // the index before answers until the new one is there
    await expect.poll(() => found(search, 'sundial')).toEqual([id])
  })

  it('can be read again after the store has failed', async () => {
    let fails = true
    const failing = new Proxy(products(), {
      get: (target, name, receiver) => {
        if (name === 'find' && fails) throw new Error('the store is away')
        const value: unknown = Reflect.get(target, name, receiver)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const search = openSearch(failing)
    await expect(search()).rejects.toThrow('the store is away')
    fails = false
    expect((await search()).size()).toBeGreaterThan(0)
  })
})
