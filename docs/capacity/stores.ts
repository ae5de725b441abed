import { poolSize as dispatcherPool } from '../../events/dispatcher-main.ts'
import { streamKeeps } from '../../events/jetstream.ts'
import { poolSize as relayPool } from '../../events/relay-main.ts'
import { keepMs } from '../../events/relay.ts'
import { keyLifetimeMs } from '../../functions/shared/store/idempotency.ts'
import { poolSize } from '../../functions/shared/store/postgres.ts'
import { domains, functions } from '../../functions/table.ts'
import { table } from '../function-table.ts'
import { bytes, count, figure, percent, span } from './format.ts'
import { perDay, perSecond } from './load.ts'
import type { Measured, TableCost } from './measured.ts'
import { partsOf, podOf, podsFor, setting, sum, type Outcomes, type Part } from './model.ts'
import { shardKeys } from './tables.ts'

/** The sections about PostgreSQL and JetStream. */

const dayMs = 24 * 60 * 60 * 1000

/** How long rows of a table are kept, in days; Infinity if the shop never removes them. */
const daysKept = (name: string, { inserted, deleted }: TableCost) => {
  if (name === 'events.outbox' || name === 'events.inbox') return keepMs / dayMs
  if (name.endsWith('.idempotency_keys')) return keyLifetimeMs / dayMs
  return inserted > 0 && deleted >= inserted * 0.9 ? 0 : Infinity
}

/** Returns how many bytes the tables grow by on the first day, before anything expires. */
const growthOf = ({ postgres }: Measured) =>
  sum(Object.values(postgres.tables), ({ bytes }) => bytes * perDay)

const volumeGib = () => setting('knative/components/stores/postgres.yaml', 'storage')

/** Returns after how many days the volume of PostgreSQL is full. */
export const volumeDays = (measured: Measured) => (volumeGib() * 1024 ** 3) / growthOf(measured)

/** Returns how many days of events the stream has room for. */
export const streamDays = ({ jetstream }: Measured, orders: number) =>
  streamKeeps.bytes / (jetstream.bytes * orders)

export function connections(measured: Measured, top: number, normal: Outcomes): string {
  const { busyMs } = measured.postgres
  const pool = setting('compose/pgbouncer.ini', 'default_pool_size')
  const poolers = podOf('knative/components/stores/pgbouncer.yaml').replicas
  const dispatchers = podOf('knative/base/platform/dispatcher.yaml').replicas
  const inPostgres = partsOf(measured).filter(
    ({ name }) => domains[functions[name].domain].store === 'postgres',
  )
  const clients = (podsOf: (part: Part) => number) =>
    sum(inPostgres, podsOf) * poolSize + dispatchers * dispatcherPool
  const all = sum(Object.values(busyMs), (ms) => ms)
  const inUse = (ms: number, rate: number) => figure((rate * ms) / 1000)
  return `${table(
    ['connections', `day, at ${figure(top)}/s`, `peak, at ${count(perSecond)}/s`, 'allowed'],
    [
      [
        `functions and dispatcher to PgBouncer: ${poolSize} a pod, ${dispatcherPool} a dispatcher`,
        count(clients(({ name }) => normal.get(name)!.mostPods)),
        count(clients((part) => podsFor(part, perSecond))),
        count(setting('compose/pgbouncer.ini', 'max_client_conn')),
      ],
      ...Object.entries(busyMs).map(([role, ms]) => [
        `in use by \`${role}\`, ${figure(ms)} ms an order`,
        inUse(ms, top),
        inUse(ms, perSecond),
        role === 'events' ? `${relayPool}, and ${poolers * pool} of the dispatcher` : count(poolers * pool),
      ]),
      [
        'PostgreSQL, all of these',
        inUse(all, top),
        inUse(all, perSecond),
        count(setting('knative/components/stores/postgres.yaml', 'max_connections')),
      ],
    ],
  )}

How long an order uses connections was measured with one order at a time. A connection is in use while a transaction is open, so it also waits for the function and for the disk. The relay, which causes most of what \`events\` uses, publishes together what waits together, and so needs fewer connections at a high rate than the table says.`
}

export function database(measured: Measured): string {
  const { vacuum } = measured
  const { walBytes, purgeWalBytes, transactions, tables } = measured.postgres
  const rows = Object.entries(tables).map(([name, cost]) => {
    const kept = daysKept(name, cost)
    const days = Number.isFinite(kept) ? kept : 365
    const held = cost.inserted * perDay * days
    const dead = (cost.updated - cost.hot + cost.deleted) * perDay
    const often = (vacuum.threshold + vacuum.scaleFactor * held) / dead
    return [
      `\`${name}\``,
      `${figure(cost.inserted)} / ${figure(cost.updated)} / ${figure(cost.deleted)}`,
      cost.updated === 0 ? '' : percent(cost.hot / cost.updated),
      count(Math.round(dead)),
      bytes(cost.bytes * perDay),
      kept === 0 ? 'until it is used' : Number.isFinite(kept) ? span(kept) : 'for good',
      bytes(cost.bytes * perDay * days),
      vacuums(often, kept),
    ]
  })
  const partitions = Object.entries(tables).flatMap(([name, cost]) => {
    const kept = daysKept(name, cost)
    if (kept === 0 || !Number.isFinite(kept)) return []
    return [`\`${name}\` has ${figure(kept)} of ${bytes(cost.bytes * perDay)}`]
  })
  return `With ${count(perDay)} orders a day, it writes ${bytes(walBytes * perDay)} of WAL a day (${bytes(walBytes)} an order, of which ${bytes(purgeWalBytes)} remove what has expired) and uses ${count(transactions * perDay)} transaction ids, so that every table is frozen each ${span(vacuum.freezeAge / (transactions * perDay))}. At ${count(perSecond)} orders a second, it writes ${bytes(walBytes * perSecond)} of WAL a second and commits ${count(transactions * perSecond)} transactions that write.

${table(
  [
    'table',
    'inserts / updates / deletes an order',
    'HOT',
    'dead rows a day',
    'growth a day',
    'kept',
    'size then',
    'autovacuum every',
  ],
  rows,
)}

What is kept for good has its size after a year. The tables grow by ${bytes(growthOf(measured))} on the first day, so the volume of the manifests, which has ${volumeGib()} GiB, is full after ${span(volumeDays(measured))}. Dead rows are those that only a vacuum removes: deleted rows, and updates that are not HOT. Autovacuum begins when they are ${percent(vacuum.scaleFactor)} of a table. What is kept for days is worth partitioning by day, because dropping a partition replaces its deletes, and with them ${percent(purgeWalBytes / walBytes)} of the WAL: ${partitions.join(', ')}.`
}

export function broker(measured: Measured): string {
  const { messages, bytes: size } = measured.jetstream
  const deliveries = sum(
    partsOf(measured).filter(({ name }) => 'on' in functions[name]),
    ({ perOrder }) => perOrder,
  )
  const row = (what: string, perOrder: number, unit: (value: number) => string) => [
    what,
    unit(perOrder),
    unit(perOrder * perDay),
    unit(perOrder * perSecond),
  ]
  const needed = size * perDay * (streamKeeps.ms / dayMs)
  return `${table(
    ['what', 'an order', 'a day', `a second at ${count(perSecond)} orders`],
    [
      row('messages', messages, figure),
      row('deliveries', deliveries, figure),
      row('bytes in the stream', size, bytes),
      row('the same with 3 replicas', 3 * size, bytes),
    ],
  )}

The stream keeps messages for ${figure(streamKeeps.ms / dayMs)} days, but no more than ${bytes(streamKeeps.bytes)}. With ${count(perDay)} orders a day it reaches that after ${span(streamDays(measured, perDay))}, and at ${count(perSecond)} orders a second after ${figure(streamKeeps.bytes / (size * perSecond) / 60)} minutes. A reaction that is behind for longer gets its events again from the outbox. To hold ${figure(streamKeeps.ms / dayMs)} days of ${count(perDay)} orders, it needs ${bytes(needed)}, and with 3 replicas that on each server. ${measured.consumers} durable consumers read it.`
}

export async function shards({ postgres }: Measured): Promise<string> {
  const keys = await shardKeys()
  return table(
    ['table', 'rows written an order', 'by', 'in every unique key'],
    Object.entries(postgres.tables).map(([name, { inserted, updated }]) => {
      const key = keys.get(name)
      const how = key === undefined ? ['—', '—'] : [`\`${key.column}\``, key.isInEveryKey ? 'yes' : 'no']
      return [`\`${name}\``, figure(inserted + updated), ...how]
    }),
  )
}

/** Writes how often autovacuum begins, given what its rule says, in days. */
function vacuums(days: number, kept: number): string {
  if (days > 365) return 'less than once a year'
  return kept === 0 ? 'every minute' : span(days)
}
