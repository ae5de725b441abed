import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { findAccount } from './accounts.ts'
import { SkuParam, Stock, toStock } from './stock.ts'

export const getStock = operation(
  'get-stock',
  {
    request: { params: SkuParam },
    responses: { 200: Stock },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, json }, { db, products, lowAt }) => {
    const item = await findAccount(db, products, params.sku)
    return json(toStock(item, lowAt), 200, { ETag: etag(item.version) })
  },
)
