import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openOtlpReceiver, type OtlpReceiver } from '../../test/otlp-receiver.ts'
import { knowProducts, newOrder } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { readConfig } from '../shared/process/config.ts'
import { openTelemetry } from '../shared/telemetry/open.ts'
import { useTelemetry } from '../shared/telemetry/telemetry.ts'
import { reasonClass } from './measures.ts'

let receiver: OtlpReceiver
let shop: TestShop

beforeAll(async () => {
  receiver = await openOtlpReceiver()
  shop = await openShop(['orders'])
  await knowProducts(shop, ['MUG', 1290])
})
afterAll(async () => {
  useTelemetry(undefined)
  await shop.close()
  await receiver.close()
})

/** Runs work with telemetry, and returns what was measured, by metric. */
async function measure(work: () => Promise<unknown>) {
  receiver.bodies.length = 0
  const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRIC_EXPORT_INTERVAL: '3600000' }
  const telemetry = openTelemetry(readConfig(settings), 'test')!
  await work()
  await telemetry.close()
  const shopsOwn = receiver.points().filter(({ metric }) => metric.startsWith('zeroshop.order'))
  return shopsOwn.map(({ metric, value, attributes }) => ({ metric, value, attributes }))
}

it('counts an order once, however often its request and its events are repeated', async () => {
  const measured = await measure(async () => {
    const key = randomUUID()
    const send = { as: 'customer' as const, body: newOrder(), key }
    const { id, total: amount } = await shop.create('/orders', send)
    await shop.create('/orders', send)
    const paid = { orderId: id, paymentId: uuidv7(), amount }
    const delivery = uuidv7()
    for (const event of [delivery, delivery, uuidv7()])
      await shop.react('confirm-order', 'payment.authorized', paid, event)
  })
  expect(measured).toEqual([
    { metric: 'zeroshop.orders.placed', value: 1, attributes: {} },
    { metric: 'zeroshop.orders.confirmed', value: 1, attributes: {} },
    { metric: 'zeroshop.order.duration', value: 1, attributes: { step: 'confirmed' } },
  ])
})

it('counts nothing of an order that is not committed', async () => {
  const outdated = { ...newOrder(), expectedTotal: { amount: 1, currency: 'EUR' } }
  const measured = await measure(async () => {
    expect(await shop.post('/orders', { as: 'customer', body: outdated })).toMatchObject({ status: 409 })
    const paid = { orderId: uuidv7(), paymentId: uuidv7(), amount: { amount: 1, currency: 'EUR' } }
    await expect(shop.react('confirm-order', 'payment.authorized', paid)).rejects.toThrow(
      'There is no order with this id.',
    )
  })
  expect(measured).toEqual([])
})

it.each([
  ['not enough stock (MUG-BLUE: 2 wanted, 1 there)', 'out-of-stock'],
  ['took too long', 'not-confirmed-in-time'],
  ['not decided in time', 'not-decided-in-time'],
  ['not enough stock in time', 'out-of-stock'],
  ['not shipped in time', 'not-shipped-in-time'],
  ['cancelled on request', 'on-request'],
  ['the account was deleted', 'account-deleted'],
  ['the customer was deleted', 'account-deleted'],
  ['insufficient funds', 'payment'],
])('counts the reason "%s" as %s', (reason, expected) => expect(reasonClass(reason)).toBe(expected))
