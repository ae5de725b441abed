/** What goes wrong in a shop now and then, so that panels and alerts have something to show. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { secretsFolder } from '../../compose/secrets.ts'
import type { Client } from '../../demo/client/client.ts'
import { placeOrder } from '../../demo/client/orders.ts'
import { ask, seen, until } from './ask.ts'
import { pause, resume, shop, sql } from './shop.ts'

/** How many requests are sent at once. */
const atOnce = 20
const mug = [{ sku: 'MUG-BLUE', quantity: 1 }]

const requests = (customer: Client, id: string) =>
  Promise.all(
    Array.from({ length: atOnce }, () => customer.GET('/orders/{id}', { params: { path: { id } } })),
  )

/** Has a function stand still again and again while customers wait for it, until something has happened. */
export async function standStill(customer: Client, id: string, event: Promise<void>): Promise<void> {
  const over = new AbortController()
  const ending = event.finally(() => over.abort())
  while (!over.signal.aborted) {
    await pause('get-order')
    const waiting = requests(customer, id)
    await delay(2_700)
    await resume('get-order')
    await waiting
  }
  await ending
}

/**
 * Stops the collector until functions have no more room for spans.
 * @returns the statuses that customers get meanwhile
 */
export async function loseCollector(customer: Client, id: string): Promise<Set<number>> {
  const statuses = new Set<number>()
  // what was counted so far would be lost before Prometheus has seen it twice
  await seen('rate(faas_coldstarts_total{service_name="create-order"}[20s])')
  await shop.compose('stop', 'collector')
  for (let n = 0; n < 30; n++)
    for (const { response } of await requests(customer, id)) statuses.add(response.status)
  await seen('up{job="collector"} == 0')
  await shop.compose('start', 'collector')
  await seen('zeroshop_telemetry_dropped_total')
  return statuses
}

/** Takes more connections of a role than there are, for seconds. */
export async function exhaustPooler(): Promise<void> {
  const url = new URL(readFileSync(join(secretsFolder, 'stock-database-url'), 'utf8').trim())
  const sleep = `psql -qAt -h pgbouncer -U stock -d zeroshop -c 'select pg_sleep(3.5)'`
  const many = `for n in $(seq ${atOnce}); do ${sleep} & done; wait`
  const waits = async () =>
    (await ask('pgbouncer_pools_client_maxwait_seconds > 0')).length > 0 &&
    (await ask('pgbouncer_pools_client_waiting_connections > 0')).length > 0
  const over = new AbortController()
  const watching = until('clients of the pooler wait', waits).finally(() => over.abort())
  while (!over.signal.aborted)
    await shop
      .compose('exec', '-T', '-e', `PGPASSWORD=${url.password}`, 'postgres', 'bash', '-c', many)
      // some are refused
      .catch(() => {})
  await watching
}

/** Lets events wait in JetStream: some that were delivered, and some that were not. */
export async function delayEvents(customer: Client): Promise<void> {
  await pause('dispatcher')
  await placeOrder(customer, mug)
  await seen('jetstream_consumer_num_ack_pending > 0')
  await resume('dispatcher')
  await shop.compose('stop', 'dispatcher')
  await placeOrder(customer, mug)
  await seen('jetstream_consumer_num_pending > 0')
  await shop.compose('start', 'dispatcher')
  await shop.healthy('dispatcher')
}

/** Locks the orders while somebody lists theirs. */
export async function lockOrders(customer: Client): Promise<void> {
  const lock = 'lock table orders.orders in access exclusive mode'
  const locked = sql(`begin; ${lock}; select pg_sleep(2); commit`)
  const count = `select count(*) from pg_locks where relation = 'orders.orders'::regclass and mode = 'AccessExclusiveLock'`
  await until('the lock', async () => (await sql(count)).trim() === '1')
  await customer.GET('/orders')
  await locked
}

/** Puts wrong figures into the books until they are found, and right ones again. */
export async function cookBooks(): Promise<void> {
  const receive = (more: number) =>
    `update stock.items set received = received + ${more} where sku = 'MUG-RED'`
  await sql('alter table stock.items drop constraint nothing_lost')
  await sql(receive(1))
  await seen('zeroshop_books_violations_total')
  await sql(receive(-1))
}

/** Takes the table of payments away from the functions. */
export const losePayments = () => sql('alter table payments.payments rename to payments_away')
/** Gives it back, and has dead letters delivered again. */
export async function mendPayments(): Promise<void> {
  await sql('alter table payments.payments_away rename to payments')
  await sql(
    `update events.failures set parked_at = null, next_at = now(), attempts = 0 where parked_at is not null`,
  )
}
