import * as z from 'zod'
import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgSchema,
  text,
  unique,
  uniqueIndex,
  uuid,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { PageQuery, pageOf } from '../shared/http/paging.ts'
import { Problem } from '../shared/http/problems.ts'
import { Email } from '../shared/schemas/email.ts'
import { changeOf, Id, text as Text, Timestamp, type Address } from '../shared/schemas/schemas.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'

/** Customers: tables, and the schemas and rules of profiles. Everything here is pure. */

export const schema = pgSchema('customers')

export const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]

/** A name, in the order of no particular language; those without a name come first. */
export const nameOf = ({ name }: { name: AnyPgColumn }) => sql`coalesce(${name}, '') collate "und-x-icu"`

export const customers = schema.table(
  'customers',
  {
    /** The id of the user, if the customer has an account. */
    id: uuid().primaryKey(),
    hasAccount: boolean('has_account').notNull(),
    /** Only of customers without an account: the users domain has those of accounts. */
    email: text().unique('customers_email'),
    name: text(),
    phone: text(),
    /** Null until it is chosen. */
    language: text().$type<Language>(),
    taxId: text('tax_id'),
    version: integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
    /** The user whose profile has taken over this one. */
    claimedBy: uuid('claimed_by'),
    /** The row of a deleted user stays, so that a request that is late does not bring the profile back. */
    deletedAt: time('deleted_at'),
  },
  (t) => [
    index('customers_by_name').on(nameOf(t), t.id),
    // for parts of them (pg_trgm)
    index('customers_search').using('gin', t.name.op('gin_trgm_ops'), t.email.op('gin_trgm_ops')),
    check('customers_email_of_users', sql`not ${t.hasAccount} or ${t.email} is null`),
    check(
      'customers_anonymous',
      sql`(${t.deletedAt} is null and ${t.claimedBy} is null) or num_nonnulls(${t.email}, ${t.name}, ${t.phone}, ${t.language}, ${t.taxId}) = 0`,
    ),
  ],
)

export type CustomerRow = typeof customers.$inferSelect

const ofCustomer = () => ({
  id: uuid().primaryKey(),
  customerId: uuid('customer_id')
    .notNull()
    .references(() => customers.id),
  isDefault: boolean('is_default').notNull(),
  version: integer().notNull().default(1),
  createdAt: time('created_at').notNull().defaultNow(),
  updatedAt: time('updated_at').notNull().defaultNow(),
})

const one = ({ isDefault }: { isDefault: AnyPgColumn }) => sql`${isDefault}`

export const addresses = schema.table(
  'addresses',
  { ...ofCustomer(), label: text().notNull(), address: jsonb().$type<Address>().notNull() },
  (t) => [index().on(t.customerId, t.id), uniqueIndex('addresses_default').on(t.customerId).where(one(t))],
)

export type AddressRow = typeof addresses.$inferSelect

export const paymentMethods = schema.table(
  'payment_methods',
  {
    ...ofCustomer(),
    /** The provider's token, with which only our API key can do anything. */
    cardToken: text('card_token').notNull(),
    brand: text().notNull(),
    last4: text().notNull(),
    expires: text(),
  },
  (t) => [
    index().on(t.customerId, t.id),
    uniqueIndex('payment_methods_default').on(t.customerId).where(one(t)),
    unique('payment_methods_token').on(t.customerId, t.cardToken),
  ],
)

export type PaymentMethodRow = typeof paymentMethods.$inferSelect

/** Links with which customers without an account can claim their records. */
export const claims = schema.table(
  'claims',
  {
    /** The SHA-256 of the token, which itself is only in the mail. */
    tokenHash: text('token_hash').primaryKey(),
    customerId: uuid('customer_id')
      .notNull()
      .references(() => customers.id),
    requestedAt: time('requested_at').notNull().defaultNow(),
    usedBy: uuid('used_by'),
  },
  (t) => [index().on(t.customerId), index().on(t.usedBy)],
)

export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const maxAddresses = 20
export const maxPaymentMethods = 10

const Name = Text(100).meta({ example: 'Ada Lovelace' })
const Phone = z
  .string()
  .regex(z.regexes.e164, 'a phone number with its country code, such as +34912345678')
  .meta({ description: 'E.164', example: '+34912345678' })
const LanguageCode = z.enum(languages).meta({ description: 'The language of messages to the customer.' })

/** Written in groups by people, and compared without them. */
const TaxId = z
  .string()
  .overwrite((value) => value.replaceAll(/[ ./-]/g, '').toUpperCase())
  .regex(/^[A-Z0-9]{4,20}$/, 'a tax number such as DE123456789: 4 to 20 letters and digits')
  .meta({ description: 'Answered in capitals, without spaces, dots and dashes.', example: 'DE123456789' })

export const Customer = z
  .object({
    id: Id,
    hasAccount: z.boolean().meta({ description: 'If so, its id is that of the user.' }),
    name: z.string().nullable(),
    email: z.string().nullable().meta({
      description: 'Of a customer without an account; `/users/{id}` has that of a user.',
    }),
    phone: z.string().nullable(),
    language: z.enum(languages),
    taxId: z.string().nullable(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Customer' })
export type Customer = z.infer<typeof Customer>

export const NewCustomer = z
  .strictObject({
    name: Name,
    email: Email.optional().meta({ description: 'Needed to claim the record later.' }),
    phone: Phone.optional(),
    language: LanguageCode.optional(),
    taxId: TaxId.optional(),
  })
  .meta({ id: 'NewCustomer' })

export const CustomerChange = changeOf(
  {
    name: Name.nullable().optional(),
    email: Email.nullable().optional().meta({ description: 'Only of a customer without an account.' }),
    phone: Phone.nullable().optional(),
    language: LanguageCode.optional(),
    taxId: TaxId.nullable().optional(),
  },
  'CustomerChange',
)

export const CustomerPage = pageOf(Customer, 'CustomerPage')

export const CustomerQuery = PageQuery.extend({
  q: Text(100)
    .optional()
    .meta({ description: 'A part of the name, or of the e-mail address of a customer without an account.' }),
  sort: z.enum(['createdAt', '-createdAt', 'name']).default('createdAt'),
})

/** The lists of what a customer has saved. */
export const SavedQuery = PageQuery.extend({ sort: z.enum(['oldest', 'newest']).default('oldest') })

/** Returns whether the caller may read and write what a customer has: customers their own, staff everything. */
export const maySee = (caller: User, id: string) => caller.id === id || isStaff(caller)

/** The language that a customer is written to in. */
export const languageOf = ({ language }: Pick<CustomerRow, 'language'>): Language => language ?? 'en'

/** What a profile tells about the person. */
type Profile = Pick<CustomerRow, 'name' | 'phone' | 'language' | 'taxId'>

/** Returns a profile into which another one is merged: it keeps what it has, and takes over what it lacks. */
export const mergedProfile = (own: Profile, other: Profile): Profile => ({
  name: own.name ?? other.name,
  phone: own.phone ?? other.phone,
  language: own.language ?? other.language,
  taxId: own.taxId ?? other.taxId,
})

/** What remains of a profile that was claimed or deleted. */
export const nothing = { email: null, name: null, phone: null, language: null, taxId: null }

/** Converts a row to the API's customer. */
export const toCustomer = (row: CustomerRow): Customer => ({
  id: row.id,
  hasAccount: row.hasAccount,
  name: row.name,
  email: row.email,
  phone: row.phone,
  language: languageOf(row),
  taxId: row.taxId,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

export const pathOf = (id: string) => `/api/v1/customers/${id}`

/** What customers read about themselves is not kept, even by their own clients. */
export const notKept = { 'Cache-Control': 'no-store' }

export const noSuchCustomer = () => new Problem('not-found', { detail: 'There is no customer with this id.' })
