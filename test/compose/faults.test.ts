import { beforeAll, describe, expect, it } from 'vitest'
import type { ShopClient } from '../client.ts'
import { customersWhoRetry, stockUp } from '../load.ts'
import { shop } from './shop.ts'

const sku = 'PART-PADS'

let client: ShopClient
let tokens: string[]
beforeAll(async () => {
  client = await shop.client()
  tokens = await Promise.all(Array.from({ length: 4 }, () => client.customer()))
  await stockUp(client, sku, 100_000)
})

const stock = async () => (await client.call(undefined, 'GET', `/stock/${sku}`)).body

describe('every accepted order keeps its promise, and nothing is done twice, when a crash takes', () => {
  it.each([
    'postgres',
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
    const customers = customersWhoRetry(client, tokens, sku)
    await expect.poll(() => customers.accepted.length, { timeout: 30_000 }).toBeGreaterThan(20)
    await shop.crash(service)
    const then = customers.accepted.length
    await expect.poll(() => customers.accepted.length, { timeout: 60_000 }).toBeGreaterThan(then + 20)
    const { accepted } = await customers.stop()
    await shop.healthy(service)
    for (const { token, order } of accepted) await client.until(token, order.id, 'order.confirmed')
    expect(await stock()).toMatchObject({
      available: before.available - accepted.length,
      reserved: before.reserved + accepted.length,
      sold: before.sold,
    })
  })
})
