/**
 * The books: what must never be, whatever happens. Constraints of the tables hold some of it, too; this also sees a
 * database that was restored or repaired without them.
 */
import type postgres from 'postgres'
import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { UserError } from '../shared/process/user-error.ts'
import { openClient } from '../shared/store/postgres-client.ts'
import { reasonOf } from '../shared/store/store-errors.ts'
import { startTelemetry } from '../shared/telemetry/start.ts'
import { closeTelemetry, telemetry } from '../shared/telemetry/telemetry.ts'

interface Check {
  /** What must never be. */
  what: string
  /** The tables that it reads, with their columns. */
  reads: Readonly<Record<string, readonly string[]>>
  /** Returns the rows that must not be, as the rest of a query after `from`. */
  never: string
}

const payments = {
  'payments.payments': ['order_id', 'amount', 'captured', 'refunded', 'refunding', 'status'],
}
const ordersAndPayments = { ...payments, 'orders.orders': ['id', 'status', 'updated_at'] }
const joined = 'orders.orders o join payments.payments p on p.order_id = o.id'
const invoices = {
  'invoices.invoices': ['series', 'year', 'seq', 'number', 'payment_id', 'previous_hash', 'hash'],
}
/** Reactions do the rest within this time after an order has ended, unless something is broken. */
const settled = "o.updated_at < now() - interval '1 hour'"

/** What is paid for the parcels that the customer keeps of a cancelled order. */
const keptAmount = `(
  select coalesce(sum(s.amount), 0) from shipments.parcels s
  where s.shipment_id = o.id and s.status in ('shipped', 'delivered', 'failed'))`

export const checks: Readonly<Record<string, Check>> = {
  'stock-below-zero': {
    what: 'less than nothing of an SKU is available, reserved or sold',
    reads: { 'stock.items': ['available', 'reserved', 'sold', 'received'] },
    never: 'stock.items where available < 0 or reserved < 0 or sold < 0',
  },
  'stock-does-not-add-up': {
    what: 'what is available, reserved and sold of an SKU is not what was received',
    reads: { 'stock.items': ['available', 'reserved', 'sold', 'received'] },
    never: 'stock.items where available + reserved + sold <> received',
  },
  'captured-too-much': {
    what: 'more was captured than was authorised',
    reads: payments,
    never: 'payments.payments where captured > amount',
  },
  'refunded-too-much': {
    what: 'more was refunded, or is about to be, than was captured',
    reads: payments,
    never: 'payments.payments where refunded + refunding > captured',
  },
  'cancelled-but-paid': {
    what: 'the shop keeps money for an order that was cancelled an hour ago, and not for parcels that were shipped',
    reads: { ...ordersAndPayments, 'shipments.parcels': ['shipment_id', 'status', 'amount'] },
    never: `${joined} where o.status = 'cancelled' and p.captured > p.refunded + p.refunding + ${keptAmount} and ${settled}`,
  },
  'completed-but-unpaid': {
    what: 'an order is completed, but nothing was captured for it',
    reads: ordersAndPayments,
    never: `${joined} where o.status = 'completed' and p.captured = 0 and ${settled}`,
  },
  'captured-but-not-invoiced': {
    what: 'a payment was captured an hour ago, at once or by parcels, and has not an invoice for each capture',
    reads: {
      'payments.payments': [...payments['payments.payments'], 'id', 'updated_at'],
      'payments.captures': ['payment_id', 'status'],
      ...invoices,
    },
    // payments from before there were invoices have none; ids are UUIDv7
    never: `payments.payments p where p.captured > 0 and p.updated_at < now() - interval '1 hour'
      and p.id > (select payment_id from invoices.invoices order by payment_id limit 1)
      and (select count(*) from invoices.invoices i where i.payment_id = p.id and i.series = 'INV')
        <> (select count(*) from payments.captures c where c.payment_id = p.id and c.status = 'done')`,
  },
  'invoice-missing': {
    what: 'numbers of invoices are missing',
    reads: invoices,
    never: `(select from invoices.invoices group by series, year
      having min(seq) <> 1 or max(seq) <> count(*)) as incomplete`,
  },
  'invoice-out-of-chain': {
    what: 'an invoice does not follow the one before in its series',
    reads: invoices,
    never: `(select previous_hash, lag(hash, 1, '') over (partition by series order by year, seq) as before
      from invoices.invoices) as chain where previous_hash <> before`,
  },
}

const schemaOf = (table: string) => table.slice(0, table.indexOf('.'))

/**
 * Returns the SQL that lets a role read what the checks read, and nothing else.
 * @param schemas the schemas that there are
 */
export const rightsOfChecks = (role: string, schemas: readonly string[]): string[] => [
  ...new Set(
    Object.values(checks).flatMap(({ reads }) =>
      Object.entries(reads)
        .filter(([table]) => schemas.includes(schemaOf(table)))
        .flatMap(([table, columns]) => [
          `grant usage on schema ${schemaOf(table)} to ${role}`,
          `grant select (${columns.join(', ')}) on ${table} to ${role}`,
        ]),
    ),
  ),
]

export interface Finding {
  check: string
  /** How many rows must not be as they are. */
  rows: number
}

/** Returns what each check finds in a snapshot. A check whose tables are not there is left out. */
export const findInBooks = (sql: postgres.Sql): Promise<Finding[]> =>
  sql.begin('isolation level repeatable read read only', async (tx) => {
    const found: Finding[] = []
    for (const [check, { reads, never }] of Object.entries(checks)) {
      const [known] = await tx<[{ missing: boolean }]>`
        select bool_or(to_regclass(name) is null) as missing from unnest(${Object.keys(reads)}::text[]) as name`
      if (known.missing) continue
      const [counted] = (await tx.unsafe(`select count(*)::int as rows from ${never}`)) as unknown as [
        { rows: number },
      ]
      found.push({ check, rows: counted.rows })
    }
    return found
  })

/**
 * Checks the books once, or every CHECK_EVERY_SECONDS. Reports what it finds in the log, and as metrics if there is a
 * collector.
 * @returns the exit code: 1 if the books are wrong
 * @throws UserError if the database cannot be read
 */
export async function runChecks(config: Config, log: Logger): Promise<number> {
  await startTelemetry(config, 'check-books', log)
  const seconds = readSeconds(config.get('CHECK_EVERY_SECONDS'))
  const sql = openClient(config.need('MONITORING_DATABASE_URL'), {
    setting: 'MONITORING_DATABASE_URL',
    silentMs: 60_000,
    max: 1,
    connect_timeout: 10,
    onnotice: () => {},
  })
  for (;;) {
    const isRight = await check(sql, log).catch((error: unknown) => {
      const { reason } = reasonOf(error)
      if (seconds === undefined) throw new UserError(`The books cannot be read (${reason}).`)
      log.error({ reason }, 'the books cannot be read')
      return true
    })
    if (seconds === undefined) {
      await Promise.all([closeTelemetry(), sql.end({ timeout: 5 })])
      return isRight ? 0 : 1
    }
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  }
}

async function check(sql: postgres.Sql, log: Logger): Promise<boolean> {
  const found = await findInBooks(sql)
  telemetry()?.add('zeroshop.books.checks')
  const wrong = found.filter(({ rows }) => rows > 0)
  for (const { check, rows } of wrong) {
    telemetry()?.add('zeroshop.books.violations', rows, { check })
    log.error({ check, rows }, checks[check]!.what)
  }
  if (wrong.length === 0) log.info({ checks: found.length }, 'the books are right')
  return wrong.length === 0
}

function readSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (Number.isInteger(seconds) && seconds > 0) return seconds
  throw new UserError(`CHECK_EVERY_SECONDS=${text}: set it to a whole number of seconds, such as 60.`)
}
