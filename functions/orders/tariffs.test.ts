import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import { openPostgres } from '../shared/store/postgres.ts'
import { taxRates } from './tariff.ts'
import { openTariff } from './tariffs.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'])
})
afterAll(() => shop.close())

it('is read again after five seconds, and only then', async () => {
  const { db } = shop.deps('orders')
  let now = 0
  const tariff = openTariff(db, () => now)
  const hasRate = async () => (await tariff()).rates.some(({ country }) => country === 'CH')
  expect(await hasRate()).toBe(false)
  await db
    .insert(taxRates)
    .values({ country: 'CH', taxClass: 'standard', rate: 810, validFrom: '2024-01-01' })
  now = 4_999
  expect(await hasRate()).toBe(false)
  now = 5_000
  expect(await hasRate()).toBe(true)
})

it('is read again at once if it could not be read', async () => {
  const db = openPostgres(shop.database('stock'))
  const tariff = openTariff(db, () => 0)
  // this role may not read it
  const refused = tariff()
  await expect(refused).rejects.toThrow('Failed query')
  expect(tariff()).not.toBe(refused)
  await expect(tariff()).rejects.toThrow('Failed query')
  await db.close()
})
