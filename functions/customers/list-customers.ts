import type * as z from 'zod'
import { and, asc, desc, ilike, or, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, readCursor } from '../shared/http/paging.ts'
import { CustomerPage, CustomerQuery, customers, nameOf, toCustomer } from './customer.ts'
import { isPresent } from './store.ts'

const columns = { id: customers.id, name: nameOf(customers) }

/** The column and direction of each sort. The id breaks ties; as a UUIDv7 it sorts by the time of creation. */
const sorts = {
  createdAt: ['id', asc, '>'],
  '-createdAt': ['id', desc, '<'],
  name: ['name', asc, '>'],
} as const satisfies Record<z.output<typeof CustomerQuery>['sort'], unknown>

export const listCustomers = operation(
  'list-customers',
  { request: { query: CustomerQuery }, responses: { 200: CustomerPage }, headers: ['Link'] },
  async ({ query: { q, sort, limit, cursor }, json, hono }, { db }) => {
    const [field, direction, beyond] = sorts[sort]
    const after = readCursor(hono, cursor, field === 'id' ? 'uuid' : 'string', 'uuid')
    const pattern = `%${q?.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
    const rows = await db
      .select()
      .from(customers)
      .where(
        and(
          isPresent,
          q === undefined ? undefined : or(ilike(customers.name, pattern), ilike(customers.email, pattern)),
          after && sql`(${columns[field]}, ${customers.id}) ${sql.raw(beyond)} (${after[0]}, ${after[1]})`,
        ),
      )
      .orderBy(direction(columns[field]), direction(customers.id))
      .limit(limit + 1)
    const { items, next } = page(hono, rows, limit, (row) => [row[field] ?? '', row.id])
    return json({ items: items.map(toCustomer), ...(next === undefined ? {} : { next }) }, 200)
  },
)
