import { and, asc, desc, eq, gt, lt } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, readCursor } from '../shared/http/paging.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { SavedAddresses, toAddress } from './address.ts'
import { addresses, SavedQuery } from './customer.ts'
import { readCustomer } from './store.ts'

export const listAddresses = operation(
  'list-addresses',
  {
    request: { params: IdParam, query: SavedQuery },
    responses: { 200: SavedAddresses },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params: { id }, query: { sort, limit, cursor }, user, json, hono }, { db }) => {
    const [after] = readCursor(hono, cursor, 'uuid') ?? []
    const [order, beyond] = sort === 'oldest' ? [asc, gt] : [desc, lt]
    await readCustomer(db, id, user)
    const rows = await db
      .select()
      .from(addresses)
      .where(and(eq(addresses.customerId, id), after === undefined ? undefined : beyond(addresses.id, after)))
      .orderBy(order(addresses.id))
      .limit(limit + 1)
    return json(
      page(hono, rows.map(toAddress), limit, (row) => [row.id]),
      200,
    )
  },
)
