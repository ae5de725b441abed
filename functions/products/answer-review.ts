import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { answererOf } from './answerer.ts'
import { optionalMatch, writeReview } from './review-store.ts'
import { answerReview as answer, NewAnswer, Review, ReviewParam, toReview } from './review.ts'

export const answerReview = operation(
  'answer-review',
  {
    request: { params: ReviewParam, body: NewAnswer },
    responses: { 200: Review },
    problems: ['not-found', 'stale-version'],
    headers: ['ETag'],
  },
  async ({ params, body, user, json, hono }, { products, reviews }) => {
    const by = await answererOf(products, params.id, user)
    const review = await writeReview(reviews, params, optionalMatch(hono), (current) =>
      answer(current, body, { by, authorId: user.id }),
    )
    return json(toReview(review), 200, { ETag: etag(review.version) })
  },
)
