import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { findAccount, noStock } from './accounts.ts'
import { readMovements } from './movements.ts'
import { Movement, SkuParam } from './stock.ts'

const Query = PageQuery.extend({ type: Movement.shape.type.optional() })

export const listStockHistory = operation(
  'list-stock-history',
  {
    request: { params: SkuParam, query: Query },
    responses: { 200: pageOf(Movement, 'StockHistory') },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params: { sku }, query, user, json, hono }, { db, products }) => {
    const { sellerId } = await findAccount(db, products, sku)
    if (user.role === 'seller' && sellerId !== user.id) throw noStock()
    const before = readCursor(hono, query.cursor, 'uuid')?.[0]
    const rows = await readMovements(db, sku, { type: query.type, before, limit: query.limit + 1 })
    return json(
      page(hono, rows, query.limit, ({ id }) => [id]),
      200,
    )
  },
)
