import { beforeAll, describe, expect, it } from 'vitest'
import type { Person } from '../../demo/client/shop.ts'
import { readStock, receiveStock } from '../../demo/client/stock.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import type { TestClient } from '../client.ts'
import { customersWhoRetry } from '../load.ts'
import { shop } from './shop.ts'

const sku = 'PART-PADS'

let client: TestClient
let customers: Person[]
beforeAll(async () => {
  client = await shop.client()
  customers = await Promise.all(Array.from({ length: 4 }, () => client.unchecked.register()))
  await receiveStock(await client.staff(), sku, 100_000)
})

const stock = () => readStock(client, sku)

describe('every accepted order ends as promised, and nothing is done twice, after a crash of', () => {
  it.each([
    'postgres',
    'pgbouncer',
    'mongodb',
    'nats',
    'payment-sandbox',
    'relay',
    'dispatcher',
    'create-order',
    'reserve-stock',
    'authorize-payment',
    'confirm-order',
    'gateway',
  ])('%s', async (service) => {
    const before = await stock()
    const load = customersWhoRetry(customers, sku)
    await expect.poll(() => load.accepted.length, { timeout: 30_000 }).toBeGreaterThan(20)
    await shop.crash(service)
    const then = load.accepted.length
    await expect.poll(() => load.accepted.length, { timeout: 60_000 }).toBeGreaterThan(then + 20)
    const { accepted } = await load.stop()
    await shop.healthy(service)
    for (const { customer, order } of accepted) await waitForEntries(customer, order.id, 'order.confirmed')
    expect(await stock()).toMatchObject({
      available: before.available - accepted.length,
      reserved: before.reserved + accepted.length,
      sold: before.sold,
    })
  })
})
