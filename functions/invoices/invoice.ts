import * as z from 'zod'
import { index, integer, jsonb, pgSchema, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { Amount, Currency, Id, Money, Timestamp } from '../shared/schemas/schemas.ts'
import { taxedFields, type Taxed } from '../shared/schemas/taxed.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'

/** Invoices and credit notes: tables, schemas, and how they are numbered. Everything here is pure. */

export const schema = pgSchema('invoices')

export const kinds = ['invoice', 'credit-note'] as const
export type InvoiceKind = (typeof kinds)[number]

/** Each kind has a series of numbers of its own. */
export const seriesOf = { invoice: 'INV', 'credit-note': 'CN' } as const satisfies Record<InvoiceKind, string>
export type Series = (typeof seriesOf)[InvoiceKind]

/** Who sells. */
export interface Seller {
  name: string
  address: string
  taxId: string
}

/** Who buys, and where it was delivered. Null if that was forgotten before the invoice was issued. */
export interface Buyer {
  name: string
  street: string
  postalCode: string
  city: string
  country: string
}

export interface InvoiceLine extends Taxed {
  /** Null if the line is no product. */
  sku: string | null
  name: string
  quantity: number
  /** Null if the line has no price for each piece. */
  unitPrice: number | null
  discount: number
}

/** The tax of each rate, highest first. */
export type TaxSum = Taxed

/** What an invoice states. It is hashed, so a field that is added later must be optional. */
export interface InvoiceContent {
  seller: Seller
  buyer: Buyer | null
  currency: string
  /** Whether unit prices and discounts include tax. */
  prices: 'gross' | 'net'
  /** When the order was placed, and when it was shipped. Both are times in RFC 3339. */
  placedAt: string
  suppliedAt: string
  lines: InvoiceLine[]
  shipping: ({ name: string } & Taxed) | null
  taxes: TaxSum[]
  net: number
  tax: number
  gross: number
  /** The numbers of the invoices that a credit note corrects. */
  corrects: string[]
  /** The return that was refunded, if it was one. */
  returnId: string | null
}

/**
 * Invoices and credit notes. Append-only: the role of the functions may neither change nor delete a row
 * (`appendOnly` in domain.ts).
 */
export const invoices = schema.table(
  'invoices',
  {
    id: uuid().primaryKey(),
    series: text().$type<Series>().notNull(),
    year: integer().notNull(),
    seq: integer().notNull(),
    number: text().notNull().unique('invoices_number'),
    /** What it is for: the capture of a payment, or a refund. */
    source: uuid().notNull(),
    orderId: uuid('order_id').notNull(),
    paymentId: uuid('payment_id').notNull(),
    customerId: uuid('customer_id').notNull(),
    issuedAt: time('issued_at').notNull(),
    content: jsonb().$type<InvoiceContent>().notNull(),
    /** The hash of the one before in its series; empty for the first. */
    previousHash: text('previous_hash').notNull(),
    hash: text().notNull(),
  },
  (t) => [
    unique('invoices_place').on(t.series, t.year, t.seq),
    unique('invoices_once').on(t.series, t.source),
    index().on(t.customerId, t.id),
    index().on(t.orderId),
  ],
)

export type InvoiceRow = typeof invoices.$inferSelect

/** The last number of each series in each year. Whoever issues the next one locks the newest row. */
export const counters = schema.table(
  'counters',
  {
    series: text().$type<Series>().notNull(),
    year: integer().notNull(),
    last: integer().notNull(),
    /** The hash of the last one that was issued, in whichever year. */
    lastHash: text('last_hash').notNull(),
  },
  (t) => [primaryKey({ columns: [t.series, t.year] })],
)

/** What was sent back: the lines of the credit note that follows. */
export const returns = schema.table('returns', {
  id: uuid().primaryKey(),
  orderId: uuid('order_id').notNull(),
  lines: jsonb().$type<ReturnedLine[]>().notNull(),
  at: time('at').notNull().defaultNow(),
})

export type ReturnedLine = { sku: string; quantity: number } & Taxed

/** Customers without an account whose records were claimed, and the users whose they are now. */
export const claimedCustomers = schema.table(
  'claimed_customers',
  { id: uuid().primaryKey(), userId: uuid('user_id').notNull(), at: time('at').notNull().defaultNow() },
  (t) => [index().on(t.userId)],
)

export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

const { net, tax, gross } = taxedFields

export const Invoice = z
  .object({
    id: Id,
    kind: z.enum(kinds),
    number: z.string().meta({ example: 'INV-2026-000001' }),
    issuedAt: Timestamp,
    orderId: Id,
    paymentId: Id,
    customerId: Id,
    seller: z.object({ name: z.string(), address: z.string(), taxId: z.string() }),
    buyer: z
      .object({
        name: z.string(),
        street: z.string(),
        postalCode: z.string(),
        city: z.string(),
        country: z.string(),
      })
      .nullable()
      .meta({ description: 'As of the shipment.' }),
    currency: Currency,
    prices: z.enum(['gross', 'net']).meta({ description: 'Whether unit prices and discounts include tax.' }),
    placedAt: Timestamp,
    suppliedAt: Timestamp.meta({ description: 'When the order was shipped.' }),
    lines: z.array(
      z.object({
        sku: z.string().nullable(),
        name: z.string(),
        quantity: z.int(),
        unitPrice: Amount.nullable(),
        discount: Amount,
        ...taxedFields,
      }),
    ),
    shipping: z.object({ name: z.string(), ...taxedFields }).nullable(),
    taxes: z.array(z.object(taxedFields)).meta({ description: 'The tax of each rate, highest first.' }),
    net,
    tax,
    gross: gross.meta({ description: 'What was paid, or is refunded by a credit note.' }),
    total: Money,
    corrects: z
      .array(z.string())
      .meta({ description: 'The numbers of the invoices that a credit note corrects.' }),
    returnId: Id.nullable().meta({ description: 'The return that a credit note is for.' }),
    hash: z.string().meta({ description: 'SHA-256 over all of it and `previousHash`.' }),
    previousHash: z.string().meta({ description: 'The hash of the one before in its series.' }),
  })
  .meta({ id: 'Invoice', description: 'Amounts are in minor units of the currency.' })
export type Invoice = z.infer<typeof Invoice>

export const Verification = z
  .object({
    number: z.string(),
    hash: z.string(),
    isIntact: z.boolean(),
    faults: z.array(z.string()).meta({ description: 'What is wrong; empty if it is intact.' }),
  })
  .meta({ id: 'InvoiceVerification' })

export const kindOf = (series: Series): InvoiceKind =>
  series === seriesOf.invoice ? 'invoice' : 'credit-note'

/** Returns a number such as `INV-2026-000001`. */
export const numberOf = (series: Series, year: number, seq: number) =>
  `${series}-${year}-${String(seq).padStart(6, '0')}`

/**
 * Returns the place of the next number of a series. Each year counts from one. A clock that has gone back does not
 * reopen a year.
 * @param last the last number of the series; undefined if there is none
 */
export function nextPlace(
  last: { year: number; last: number } | undefined,
  now: Date,
): { year: number; seq: number } {
  const year = now.getUTCFullYear()
  return last === undefined || year > last.year ? { year, seq: 1 } : { year: last.year, seq: last.last + 1 }
}

/** Converts a row to the API's invoice. */
export const toInvoice = (row: InvoiceRow): Invoice => ({
  id: row.id,
  kind: kindOf(row.series),
  number: row.number,
  issuedAt: row.issuedAt.toISOString(),
  orderId: row.orderId,
  paymentId: row.paymentId,
  customerId: row.customerId,
  ...row.content,
  total: { amount: row.content.gross, currency: row.content.currency },
  hash: row.hash,
  previousHash: row.previousHash,
})
