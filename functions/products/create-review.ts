import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { problems } from './problems.ts'
import { hasBought } from './purchases.ts'
import { firstAnswer, insertReview, locationOf } from './review-store.ts'
import { NewReview, newReview, Review, toReview } from './review.ts'
import { noProduct, stateOnly } from './store.ts'

export const createReview = operation(
  'create-review',
  {
    request: { params: IdParam, body: NewReview },
    responses: { 201: Review },
    problems: [
      'not-found',
      problems['purchase-needed'],
      problems['already-reviewed'],
      problems['review-removed'],
    ],
    headers: ['ETag', 'Location'],
  },
  async ({ params, body, user, key, traceparent, actor, json }, { products, reviews, ...bought }) => {
    const first = await firstAnswer(reviews, key)
    if (first !== undefined) return first
    const product = await products.findOne({ _id: params.id, deletedAt: null }, stateOnly)
    if (product === null) throw noProduct()
    if (!(await hasBought(bought, user.id, product.sku)))
      throw new Problem(problems['purchase-needed'], {
        detail: 'You can review this product when an order of yours with it is completed: shipped and paid.',
      })
    const review = newReview(body, product._id, user.id, { traceparent, actor })
    const response = json(toReview(review), 201, {
      ETag: etag(review.version),
      Location: locationOf(review),
    })
    return insertReview(reviews, review, key, response)
  },
)
