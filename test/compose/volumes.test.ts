import { beforeAll, expect, it } from 'vitest'
import type { ShopClient } from '../client.ts'
import { shop } from './shop.ts'

let client: ShopClient
beforeAll(async () => {
  client = await shop.client()
})

it('keeps everything over down and up', async () => {
  const token = await client.customer()
  const { id } = await client.place(token, [{ sku: 'MUG-TRAVEL', quantity: 1 }], 'card_approved')
  await client.until(token, id, 'order.confirmed')
  const read = async () =>
    Promise.all(
      [`/orders/${id}`, `/payments?orderId=${id}`, '/stock/MUG-TRAVEL', '/products?sku=MUG-TRAVEL'].map(
        async (path) => (await client.call(token, 'GET', path)).text,
      ),
    )
  const before = await read()
  await shop.compose('down')
  await shop.up()
  expect(await read()).toEqual(before)
  // and goes on where it was
  await client.call(await client.staff(), 'POST', `/orders/${id}/shipment`, {})
  await client.until(token, id, 'stock.committed')
})
