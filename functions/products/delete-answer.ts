import { operation } from '../shared/http/operation.ts'
import { answererOf } from './answerer.ts'
import { optionalMatch, writeReview } from './review-store.ts'
import { deleteAnswerOf, ReviewParam } from './review.ts'

export const deleteAnswer = operation(
  'delete-answer',
  {
    request: { params: ReviewParam },
    responses: { 204: null },
    problems: ['not-found', 'stale-version'],
  },
  async ({ params, user, empty, hono }, { products, reviews }) => {
    await answererOf(products, params.id, user)
    await writeReview(reviews, params, optionalMatch(hono), deleteAnswerOf)
    return empty()
  },
)
