import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'nats'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Person } from '../demo/client/shop.ts'
import { good } from '../demo/client/good.ts'
import { cancelOrder, newOrder, placeOrder, readOrder, shipOrder } from '../demo/client/orders.ts'
import { demoPassword } from '../local/people.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { natsOptions } from '../events/nats-url.ts'
import { tablesWith } from './contents.ts'
import { startTestSystem, type TestSystem } from './system.ts'

/** What must not be left behind: card tokens by orders, products and open orders by accounts. */

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

it('sells nothing of a deleted seller', async () => {
  const admin = await shop.logIn({ email: 'admin@example.com', password: demoPassword })
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID() }
  const { user } = await shop.register(account)
  const path = { id: user.id }
  const params = { path, header: { 'If-Match': '*' } }
  await good(admin.PATCH('/users/{id}', { params, body: { role: 'seller', currentPassword: demoPassword } }))
  const seller = await shop.logIn(account)
  const [sku, price] = [`SOLD-${randomUUID()}`, { amount: 500, currency: 'EUR' }]
  const product = await good(
    seller.POST('/products', { body: { sku, name: 'Kettle', category: 'pots', price } }),
  )
  const lines = [{ sku, quantity: 1 }]
  await placeOrder(customer, lines)

  await good(admin.DELETE('/users/{id}', { params: { path }, body: { currentPassword: demoPassword } }))
  const read = () => shop.GET('/products/{id}', { params: { path: { id: product.id } } })
  await expect.poll(async () => (await read()).response.status, { timeout: 10_000 }).toBe(404)
  const order = async () => (await customer.POST('/orders', { body: newOrder(lines) })).response.status
  await expect.poll(order, { timeout: 10_000 }).toBe(422)
  // the relay does not publish an event for ever that a reaction without PostgreSQL has handled
  await expect.poll(() => unsettled(user.id), { timeout: 15_000 }).toEqual([])
})

it('cancels what a deleted customer has not paid, and ships what they have', async () => {
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID() }
  const leaver = await shop.register(account)
  const paid = await placeOrder(leaver, mug)
  await waitForEntries(leaver, paid.id, 'order.confirmed')
  const waiting = await placeOrder(leaver, mug, 'card_slow')
  const body = { currentPassword: account.password }
  await good(leaver.DELETE('/users/{id}', { params: { path: { id: leaver.user.id } }, body }))
  await waitForEntries(staff, waiting.id, 'order.cancelled', 'stock.released')
  expect(await readOrder(staff, waiting.id)).toMatchObject({
    status: 'cancelled',
    reason: 'the account was deleted',
  })
  await shipOrder(staff, paid.id)
  await waitForEntries(staff, paid.id, 'order.completed')
})

/** Returns the types of a subject's events that some reaction has not handled. */
async function unsettled(subject: string): Promise<string[]> {
  const sql = postgres(shop.system.environment.database('events'), { max: 1 })
  const rows = await sql<{ type: string }[]>`
    select type from events.outbox where subject = ${subject} and settled_at is null`
  await sql.end()
  return rows.map(({ type }) => type)
}
