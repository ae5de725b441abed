import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { listReviewsOf, reviewOrders, type ReviewOrder } from './review-store.ts'
import { Review, toReview } from './review.ts'
import { noProduct } from './store.ts'

const ReviewQuery = PageQuery.extend({
  sort: z.enum(['newest', 'best', 'worst']).default('newest').meta({
    description: '`best` and `worst` sort by stars, and then the newest first.',
  }),
})

export const listReviews = operation(
  'list-reviews',
  {
    request: { params: IdParam, query: ReviewQuery },
    responses: { 200: pageOf(Review, 'ReviewPage') },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params, query, json, hono }, { products, reviews }) => {
    const order: ReviewOrder = reviewOrders[query.sort]
    const last = readCursor(hono, query.cursor, ...order.types)
    const [product, rows] = await Promise.all([
      products.findOne({ _id: params.id, deletedAt: null }, { projection: { _id: 1 } }),
      listReviewsOf(reviews, params.id, order, query.limit + 1, last),
    ])
    if (product === null) throw noProduct()
    const { items, ...next } = page(hono, rows, query.limit, order.position)
    return json({ items: items.map(toReview), ...next }, 200)
  },
)
