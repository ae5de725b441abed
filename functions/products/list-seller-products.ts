import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Product, toProduct } from './product.ts'
import { firstOf, orders, sorts } from './search/order.ts'
import { productsBy } from './store.ts'

const SellerQuery = PageQuery.extend({
  sort: z
    .enum(sorts)
    .exclude(['relevance'])
    .default('newest')
    .meta({ description: '`price` and `-price` sort by currency first, `rating` the best first.' }),
})

export const listSellerProducts = operation(
  'list-seller-products',
  {
    request: { params: IdParam, query: SellerQuery },
    responses: { 200: pageOf(Product, 'SellerProductPage') },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params, query, json, hono }, { products, search }) => {
    const order = orders[query.sort]
    const last = readCursor(hono, query.cursor, ...order.types)
    const index = await search()
    const theirs = [...index.find(undefined)].filter(({ entry }) => entry.sellerId === params.id)
    if (theirs.length === 0) throw new Problem('not-found', { detail: 'Nothing is for sale by this seller.' })
    const rows = firstOf(order, theirs, query.limit + 1, last)
    const { items, ...next } = page(hono, rows, query.limit, order.position)
    const read = await productsBy(
      products,
      items.map(({ entry }) => entry.id),
    )
    return json({ items: read.map(toProduct), ...next }, 200)
  },
)
