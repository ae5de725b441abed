import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'nats'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { putIntoCart } from '../demo/client/carts.ts'
import type { Person } from '../demo/client/shop.ts'
import { good } from '../demo/client/good.ts'
import {
  address,
  cancelOrder,
  expecting,
  newOrder,
  paymentOf,
  placeOrder,
  readOrder,
  readPrices,
  shipOrder,
} from '../demo/client/orders.ts'
import { hashOf } from '../functions/customers/claim.ts'
import { demoPassword } from '../local/people.ts'
import { productWith, reviewProduct } from '../demo/client/reviews.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { uniqueLetters } from './letters.ts'
import { natsOptions } from '../events/nats-url.ts'
import { collectionsWith, tablesWith } from './contents.ts'
import { startTestSystem, type TestSystem } from './system.ts'

/** What must not be left behind: card tokens by orders; products, open orders and personal data by accounts. */

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

/**
 * Returns the tables with a text, except for what waits until an e-mail is sent or an invoice issued, and the invoices
 * themselves, which law requires sellers to keep.
 */
const tablesButMails = async (text: string) =>
  (await tables(text)).filter((table) => table !== 'events.secrets' && table !== 'invoices.invoices')

const collections = (text: string) => {
  const { ADMIN_MONGODB_URL: url = '' } = shop.system.environment.ofService('migrate')
  return collectionsWith(url, text)
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
  const rejected = await place('card_approved', [{ sku: 'MUG-RED', quantity: 900 }])
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

it.each(['by themselves', 'by an admin, with the id in capitals'])(
  'leaves nothing of a person behind who is deleted %s',
  async (how) => {
    const canary = uniqueLetters()
    const account = { email: `a-${canary}@example.com`, password: randomUUID(), name: `Ada ${canary}` }
    const leaver = await shop.register(account)
    const { id } = leaver.user
    const currentPassword = account.password
    const prices = await readPrices(leaver, ['MUG-RED'])
    const order = async (card?: string, quantity = 1) => {
      const body = expecting(newOrder([{ sku: 'MUG-RED', quantity }], card), prices)
      const texts = {
        deliveryAddress: { ...address, name: account.name, street: `${canary} Street` },
        note: `ring for ${canary}`,
      }
      return good(leaver.POST('/orders', { body: { ...body, ...texts } }))
    }
    const confirmed = async (card?: string) => {
      const placed = await order(card)
      await waitForEntries(leaver, placed.id, 'order.confirmed')
      return placed
    }

    // ended before
    const completed = await confirmed()
    await shipOrder(staff, completed.id, { trackingCode: canary })
    await waitForEntries(leaver, completed.id, 'stock.committed')
    const { id: productId } = await productWith(leaver, 'MUG-RED')
    const review = { stars: 5, title: canary, text: `${canary} likes it` }
    const reviewing = { timeout: 15_000, interval: 500 }
    await expect.poll(() => reviewProduct(leaver, productId, review), reviewing).toBe(201)
    const { id: paymentId } = (await paymentOf(leaver, completed.id))!
    const refund = { amount: 100, reason: `${canary} is not content` }
    await good(staff.POST('/payments/{id}/refunds', { params: { path: { id: paymentId } }, body: refund }))
    const declined = await order('card_declined')
    const rejected = await order('card_approved', 900)
    const cancelled = await order()
    await cancelOrder(leaver, cancelled.id, { reason: `I am ${canary}` })
    for (const { id } of [declined, rejected, cancelled]) await waitForEntries(leaver, id, 'order.cancelled')
    // under way
    const [ships, recalled, dropped] = await Promise.all([
      confirmed(),
      confirmed('card_capture_fails'),
      confirmed(),
    ])
    const waiting = await order('card_slow')
    await putIntoCart(leaver, 'MUG-RED', 1)
    const params = { path: { id }, header: { 'If-Match': '*' } }
    const moved = { email: `b-${canary}@example.com`, currentPassword }
    await good(leaver.PATCH('/users/{id}', { params, body: moved }))
    await shop.POST('/sessions', { body: { email: moved.email, password: 'not the password' } })
    await good(leaver.PATCH('/customers/{id}', { params, body: { name: canary } }))
    const own = { params: { path: { id } } }
    const label = `where ${canary} lives`
    await good(leaver.POST('/customers/{id}/addresses', { ...own, body: { label, address } }))
    const card = { cardToken: `card_approved-${canary}`, brand: 'visa', last4: '4242' }
    await good(leaver.POST('/customers/{id}/payment-methods', { ...own, body: card }))
    const about = { params: { path: { id: ships.id } }, body: { text: `mind ${canary}` } }
    await good(staff.POST('/orders/{id}/notes', { ...about, body: { ...about.body, visibility: 'staff' } }))
    const theirs = [
      'customers.addresses',
      'customers.customers',
      'customers.idempotency_keys',
      'customers.payment_methods',
      'notifications.contacts',
      'orders.idempotency_keys',
      'orders.orders',
      'orders.timeline',
      'payments.idempotency_keys',
      'payments.refunds',
      'users.idempotency_keys',
      'users.users',
    ]
    // notifications hear of it by event, and one has an address only until it is mailed
    const lasting = async () =>
      (await tablesButMails(canary)).filter((table) => table !== 'notifications.notifications')
    await expect.poll(lasting, { timeout: 10_000 }).toEqual(theirs)

    expect(await collections(canary)).toEqual(['products.reviews'])

    if (how === 'by themselves') {
      const path = { id }
      await good(leaver.DELETE('/users/{id}', { params: { path }, body: { currentPassword } }))
    } else {
      const admin = await shop.logIn({ email: 'admin@example.com', password: demoPassword })
      const path = { id: id.toUpperCase() }
      await good(admin.DELETE('/users/{id}', { params: { path }, body: { currentPassword: demoPassword } }))
    }
    await waitForEntries(staff, waiting.id, 'order.cancelled')
    expect(await readOrder(staff, ships.id)).toMatchObject({ deliveryAddress: { name: account.name } })
    await shipOrder(staff, ships.id, { trackingCode: canary })
    await shipOrder(staff, recalled.id)
    await cancelOrder(staff, dropped.id, { reason: `${canary} called` })
    await waitForEntries(staff, ships.id, 'order.completed', 'stock.committed')
    for (const { id } of [recalled, dropped])
      await waitForEntries(staff, id, 'order.cancelled', 'payment.voided')

    await expect.poll(() => tablesButMails(canary), { timeout: 10_000 }).toEqual([])
    // no name or address waits any more, for an invoice or for a mail
    await expect.poll(() => tables(canary), { timeout: 10_000 }).toEqual(['invoices.invoices'])
    await expect.poll(() => collections(canary), { timeout: 10_000 }).toEqual([])
    // not what they bought either; counts of requests expire
    const known = async () => (await collections(id)).filter((name) => !name.endsWith('.request_counts'))
    await expect.poll(known, { timeout: 10_000 }).toEqual([])
    for (const text of [await stream(), journal(), shop.lines.join('\n')]) expect(text).not.toContain(canary)
    // what the books need stays
    for (const { id: orderId } of [completed, ships, recalled, dropped, cancelled])
      expect(await readOrder(staff, orderId)).toMatchObject({
        customerId: id,
        deliveryAddress: null,
        note: null,
        lines: [{ sku: 'MUG-RED', quantity: 1 }],
      })
    // it would have been found
    expect(await tables(id)).toContain('orders.orders')
    expect(await collections('MUG-RED')).toContain('products.products')
    expect(await stream()).toContain(id)
  },
)

it('leaves nothing of what staff kept of a customer who has claimed it, and lets the orders follow', async () => {
  const canary = randomUUID()
  const kept = await good(staff.POST('/customers', { body: { name: canary } }))
  const order = await good(staff.POST('/orders', { body: { ...newOrder(mug), customerId: kept.id } }))
  await waitForEntries(staff, order.id, 'order.confirmed')
  const token = randomBytes(32).toString('base64url')
  await putClaim(kept.id, token)
  const claimer = await shop.register()
  const { id } = claimer.user
  expect(await good(claimer.POST('/customer-claims', { body: { token } }))).toMatchObject({
    id,
    name: canary,
  })

  const read = () => claimer.GET('/orders/{id}', { params: { path: { id: order.id } } })
  await expect.poll(async () => (await read()).data?.customerId, { timeout: 10_000 }).toBe(id)
  await expect.poll(() => paymentOf(claimer, order.id), { timeout: 10_000 }).toMatchObject({ customerId: id })
  expect(await tables(canary)).toEqual(['customers.customers'])
  expect(await readCustomer(id)).toMatchObject({ name: canary })
  expect(await readCustomer(kept.id)).toBeUndefined()
  expect(await tables(token)).toEqual([])
})

const readCustomer = async (id: string) =>
  (await staff.GET('/customers/{id}', { params: { path: { id } } })).data

/** Adds the link of a claim, as a mail contains it. */
async function putClaim(customerId: string, token: string) {
  const sql = postgres(shop.system.environment.database('customers'), { max: 1 })
  await sql`insert into customers.claims (token_hash, customer_id) values (${hashOf(token)}, ${customerId})`
  await sql.end()
}

/** Returns the types of a subject's events that some reaction has not handled. */
async function unsettled(subject: string): Promise<string[]> {
  const sql = postgres(shop.system.environment.database('events'), { max: 1 })
  const rows = await sql<{ type: string }[]>`
    select type from events.outbox where subject = ${subject} and settled_at is null`
  await sql.end()
  return rows.map(({ type }) => type)
}
