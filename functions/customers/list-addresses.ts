import { operation } from '../shared/http/operation.ts'
import { page, readCursor } from '../shared/http/paging.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { SavedAddresses, toAddress } from './address.ts'
import { addresses, SavedQuery } from './customer.ts'
import { readCustomer, savedPage } from './store.ts'

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
    await readCustomer(db, id, user)
    const { where, orderBy } = savedPage(addresses, id, { sort, after })
    const rows = await db
      .select()
      .from(addresses)
      .where(where)
      .orderBy(orderBy)
      .limit(limit + 1)
    return json(
      page(hono, rows.map(toAddress), limit, (row) => [row.id]),
      200,
    )
  },
)
