import { operation } from '../shared/http/operation.ts'
import { page, readCursor } from '../shared/http/paging.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { paymentMethods, SavedQuery } from './customer.ts'
import { PaymentMethods, toPaymentMethod } from './payment-method.ts'
import { readCustomer, savedPage } from './store.ts'

export const listPaymentMethods = operation(
  'list-payment-methods',
  {
    request: { params: IdParam, query: SavedQuery },
    responses: { 200: PaymentMethods },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params: { id }, query: { sort, limit, cursor }, user, json, hono }, { db }) => {
    const [after] = readCursor(hono, cursor, 'uuid') ?? []
    await readCustomer(db, id, user)
    const { where, orderBy } = savedPage(paymentMethods, id, { sort, after })
    const rows = await db
      .select()
      .from(paymentMethods)
      .where(where)
      .orderBy(orderBy)
      .limit(limit + 1)
    const items = rows.map((row) => toPaymentMethod(row, user))
    return json(
      page(hono, items, limit, (item) => [item.id]),
      200,
    )
  },
)
