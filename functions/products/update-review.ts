import { etag, ifMatch } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { writeReview } from './review-store.ts'
import { changeReview, Review, ReviewParam, ReviewPatch, toReview } from './review.ts'

export const updateReview = operation(
  'update-review',
  {
    request: { params: ReviewParam, body: ReviewPatch },
    responses: { 200: Review },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body, user, traceparent, actor, json, hono }, { reviews }) => {
    const review = await writeReview(reviews, params, ifMatch(hono), (current) =>
      current.authorId === user.id ? changeReview(current, body, { traceparent, actor }) : undefined,
    )
    return json(toReview(review), 200, { ETag: etag(review.version) })
  },
)
