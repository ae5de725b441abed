import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { readReview } from './review-store.ts'
import { Review, ReviewParam, toReview } from './review.ts'

export const getReview = operation(
  'get-review',
  {
    request: { params: ReviewParam },
    responses: { 200: Review },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, json }, { reviews }) => {
    const review = await readReview(reviews, params)
    return json(toReview(review), 200, {
      ETag: etag(review.version),
      // caches may store the answer, but must revalidate it each time
      'Cache-Control': 'public, no-cache',
    })
  },
)
