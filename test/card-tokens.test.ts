import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'nats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Person } from '../demo/client/shop.ts'
import { cancelOrder, placeOrder, readOrder, shipOrder } from '../demo/client/orders.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { natsOptions } from '../events/nats-url.ts'
import { tablesWith } from './contents.ts'
import { startTestSystem, type TestSystem } from './system.ts'

let shop: TestSystem
let customer: Person
let staff: Person
beforeAll(async () => {
  shop = await startTestSystem()
  ;[customer, staff] = await Promise.all([shop.register(), shop.staff()])
})
afterAll(() => shop.stop())

const mug = [{ sku: 'MUG-RED', quantity: 1 }]

const tables = (text: string) => {
  const { ADMIN_DATABASE_URL: url = '' } = shop.system.environment.ofService('migrate')
  return tablesWith(url, text)
}

/** Returns all messages of the stream. */
async function stream(): Promise<string> {
  const { NATS_URL: url = '' } = shop.system.environment.ofService('relay')
  const connection = await connect(natsOptions(url))
  const { streams } = await connection.jetstreamManager()
  const { state } = await streams.info('zeroshop')
  const messages: string[] = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++)
    messages.push(new TextDecoder().decode((await streams.getMessage('zeroshop', { seq })).data))
  await connection.close()
  return messages.join('\n')
}

const journal = () =>
  readFileSync(shop.system.environment.ofService('payment-sandbox')['PAYMENT_SANDBOX_JOURNAL']!, 'utf8')

it('leaves no trace of a card token once its order has ended', async () => {
  const canary = randomUUID()
  const place = (card: string, lines = mug) => placeOrder(customer, lines, `${card}-${canary}`)
  const completed = await place('card_approved')
  const declined = await place('card_declined')
  const unknown = await place('nobody')
  const rejected = await place('card_approved', [{ sku: 'MUG-RED', quantity: 9_000 }])
  const cancelled = await place('card_flaky')
  await cancelOrder(customer, cancelled.id)
  await waitForEntries(customer, completed.id, 'order.confirmed')
  await shipOrder(staff, completed.id)
  await waitForEntries(customer, completed.id, 'stock.committed')
  for (const { id } of [declined, unknown]) await waitForEntries(customer, id, 'stock.released')
  for (const { id } of [rejected, cancelled]) await waitForEntries(customer, id, 'order.cancelled')
  expect(await readOrder(customer, completed.id)).toMatchObject({ status: 'completed' })

  await expect.poll(() => tables(canary), { timeout: 10_000 }).toEqual([])
  for (const text of [await stream(), journal(), shop.lines.join('\n')]) expect(text).not.toContain(canary)
  // it would have been found
  expect(await tables(completed.id)).toContain('events.outbox')
  expect(await stream()).toContain(completed.id)
  expect(journal()).toContain('"operation":"authorize"')
})
