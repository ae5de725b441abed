import { beforeAll, expect, it } from 'vitest'
import { good } from '../../demo/client/good.ts'
import { paymentOf, placeOrder, readOrder, shipOrder } from '../../demo/client/orders.ts'
import { readStock } from '../../demo/client/stock.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import type { TestClient } from '../client.ts'
import { shop } from './shop.ts'

let client: TestClient
beforeAll(async () => {
  client = await shop.client()
})

it('keeps all data when the shop is taken down and started again', async () => {
  const customer = await client.register()
  const { id } = await placeOrder(customer, [{ sku: 'MUG-TRAVEL', quantity: 1 }])
  await waitForEntries(customer, id, 'order.confirmed')
  const read = () =>
    Promise.all([
      readOrder(customer, id),
      paymentOf(customer, id),
      readStock(client, 'MUG-TRAVEL'),
      good(client.GET('/products', { params: { query: { sku: 'MUG-TRAVEL' } } })),
    ])
  const before = await read()
  await shop.compose('down')
  await shop.up()
  expect(await read()).toEqual(before)
  // the saga of the order continues
  await shipOrder(await client.staff(), id)
  await waitForEntries(customer, id, 'stock.committed')
})
