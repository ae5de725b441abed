import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { optionalMatch, writeReview } from './review-store.ts'
import { Removal, removeReview, ReviewParam, withdraw } from './review.ts'

export const deleteReview = operation(
  'delete-review',
  {
    request: { params: ReviewParam, query: Removal },
    responses: { 204: null },
    problems: ['not-found', 'stale-version'],
  },
  async ({ params, query, user, traceparent, actor, empty, hono }, { reviews }) => {
    const { reason } = query
    await writeReview(reviews, params, optionalMatch(hono), (review) => {
      if (review.authorId === user.id) return withdraw(review, { traceparent, actor })
      if (!isStaff(user)) return undefined
      if (reason === undefined)
        throw new Problem('invalid-request', {
          detail: 'Say why the review is removed. Its author is told.',
          errors: [{ pointer: '/query/reason', detail: 'needed for the review of a customer' }],
        })
      return removeReview(review, reason, { traceparent, actor })
    })
    return empty()
  },
)
