import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { paymentOf, placeOrder, readOrder, shipOrder } from '../demo/client/orders.ts'
import { readStock } from '../demo/client/stock.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { startTestSystem, type TestSystem } from './system.ts'

describe('if JetStream’s storage is deleted during the saga', () => {
  let shop: TestSystem
  beforeAll(async () => {
    shop = await startTestSystem({ REDELIVER_AFTER_SECONDS: '1', RETRY_DELAYS_SECONDS: '0.2,0.5,1,2,5' })
  })
  afterAll(() => shop.stop())

  it('every order still ends', { timeout: 60_000 }, async () => {
    const [customer, staff] = await Promise.all([shop.register(), shop.staff()])
    const place = (n: number) =>
      placeOrder(customer, [{ sku: 'MUG-RED', quantity: 1 }], n % 3 === 0 ? 'card_declined' : 'card_approved')
    const before = await Promise.all(Array.from({ length: 10 }, (_, n) => place(n)))
    const [during] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, (_, n) => place(n))),
      shop.loseBroker(),
    ])
    for (const { id } of [...before, ...during].filter((_, n) => (n % 10) % 3 !== 0)) {
      await waitForEntries(customer, id, 'order.confirmed')
      await shipOrder(staff, id)
    }
    for (const [n, { id }] of [...before, ...during].entries())
      await waitForEntries(
        customer,
        id,
        ...((n % 10) % 3 === 0 ? ['order.cancelled', 'stock.released'] : ['stock.committed']),
      )
    expect(await readStock(shop, 'MUG-RED')).toMatchObject({ reserved: 0, sold: 12 })
  })
})

describe('an order that takes too long', () => {
  let shop: TestSystem
  beforeAll(async () => {
    shop = await startTestSystem({ ORDER_DEADLINE_SECONDS: '1' })
  })
  afterAll(() => shop.stop())

  it('is cancelled at its deadline, and late reservations and payments are released', async () => {
    const customer = await shop.register()
    const { id } = await placeOrder(customer, [{ sku: 'MUG-RED', quantity: 1 }], 'card_slow')
    await waitForEntries(customer, id, 'order.cancelled', 'stock.released')
    expect(await readOrder(customer, id)).toMatchObject({ status: 'cancelled', reason: 'took too long' })
    await expect
      .poll(async () => (await paymentOf(customer, id))?.status, {
        timeout: 15_000,
      })
      .toBe('voided')
    expect(await readStock(shop, 'MUG-RED')).toMatchObject({ reserved: 0, sold: 0 })
  })
})
