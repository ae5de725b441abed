import type { Collection, Filter } from 'mongodb'
import type { Context } from 'hono'
import { checkVersion, ifMatch, type AcceptedVersions } from '../shared/http/entity-tag.ts'
import type { CursorValue } from '../shared/http/paging.ts'
import { Problem } from '../shared/http/problems.ts'
import { keyLifetimeMs, replay, toAnswer, type IdempotencyKey } from '../shared/store/idempotency.ts'
import { isDuplicate } from '../shared/store/mongodb-errors.ts'
import { problems } from './problems.ts'
import type { RatingState } from './rating.ts'
import { withdraw, type ReviewChange, type ReviewDocument, type ReviewState } from './review.ts'

/** How reviews are read and written. */

export type Reviews = Collection<ReviewDocument>

export const noReview = () => new Problem('not-found', { detail: 'There is no such review.' })

/** Leaves out the fields that no answer contains. */
const stateOnly = { projection: { outbox: 0, creation: 0 } } as const

export const locationOf = ({ _id, productId }: Pick<ReviewState, '_id' | 'productId'>) =>
  `/api/v1/products/${productId}/reviews/${_id}`

/** Which review a path names. */
interface Named {
  id: string
  reviewId: string
}

/** @throws Problem 404 if the product has no such review */
export async function readReview(reviews: Reviews, { id, reviewId }: Named): Promise<ReviewState> {
  const review = await reviews.findOne({ _id: reviewId, productId: id, deletedAt: null }, stateOnly)
  if (review === null) throw noReview()
  return review
}

/** In which orders the reviews of a product are listed. The last value of each is unique. */
export const reviewOrders = {
  newest: {
    sort: { _id: -1 },
    types: ['string'],
    position: ({ _id }) => [_id],
    after: ([id]) => [{ _id: { $lt: id } }],
  },
  best: {
    sort: { stars: -1, _id: -1 },
    types: ['number', 'string'],
    position: ({ stars, _id }) => [stars, _id],
    after: ([stars, id]) => [{ stars, _id: { $lt: id } }, { stars: { $lt: stars } }],
  },
  worst: {
    sort: { stars: 1, _id: -1 },
    types: ['number', 'string'],
    position: ({ stars, _id }) => [stars, _id],
    after: ([stars, id]) => [{ stars, _id: { $lt: id } }, { stars: { $gt: stars } }],
  },
} as const satisfies Record<string, ReviewOrder>

export interface ReviewOrder {
  sort: Readonly<Record<string, 1 | -1>>
  types: readonly ('string' | 'number')[]
  position: (review: ReviewState) => CursorValue[]
  /** Returns the conditions of what comes after a position: all of the first comes before all of the second. */
  after: (position: readonly CursorValue[]) => object[]
}

/** Returns the first reviews of a product in an order. */
export async function listReviewsOf(
  reviews: Reviews,
  productId: string,
  { sort, after }: ReviewOrder,
  limit: number,
  last?: readonly CursorValue[],
): Promise<ReviewState[]> {
  const found: ReviewState[] = []
  for (const condition of last === undefined ? [{}] : after(last))
    if (found.length < limit) {
      const filter = { productId, deletedAt: null, ...condition } as Filter<ReviewDocument>
      const some = reviews.find(filter, stateOnly).sort({ ...sort })
      found.push(...(await some.limit(limit - found.length).toArray()))
    }
  return found
}

/**
 * Returns the first answer to a request that has created a review; undefined if it has not.
 * @throws Problem 422 if its key was used for another request
 */
export async function firstAnswer(reviews: Reviews, key: IdempotencyKey): Promise<Response | undefined> {
  const first = await reviews.findOne(
    { 'creation.caller': key.caller, 'creation.key': key.key },
    { projection: { creation: 1 } },
  )
  if (first?.creation === undefined) return undefined
  const { at } = first.creation
  if (Date.now() - at.getTime() < keyLifetimeMs) return replay(first.creation, key)
  // the key has expired, so it is free again
  await reviews.updateOne({ _id: first._id, 'creation.at': at }, { $unset: { creation: '' } })
  return undefined
}

/**
 * Inserts a review together with the answer to its request, so that a retry gets the same answer.
 * @throws Problem 409 if its author has reviewed the product before, 422 if the key was used for another request
 */
export async function insertReview(
  reviews: Reviews,
  review: ReviewDocument,
  key: IdempotencyKey,
  response: Response,
): Promise<Response> {
  const { productId, authorId } = review
  const answer = await toAnswer(response)
  for (;;)
    try {
      await reviews.insertOne({ ...review, creation: { ...key, at: new Date(), answer } })
      return response
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const first = await firstAnswer(reviews, key)
      if (first !== undefined) return first
      const other = await reviews.findOne({ productId, authorId: authorId! }, stateOnly)
      if (other !== null) throw reviewedBefore(other)
      // the other one was deleted meanwhile
    }
}

function reviewedBefore(review: ReviewState): Problem {
  if (review.removedFor !== undefined)
    return new Problem(problems['review-removed'], {
      detail: 'Staff have removed your review of this product, and you cannot write another one.',
      members: { reason: review.removedFor },
    })
  return new Problem(problems['already-reviewed'], {
    detail: 'You have reviewed this product. Change that review, or delete it before you write another one.',
    members: { review: locationOf(review) },
  })
}

/** Returns the versions that a change accepts whose If-Match is optional. */
export const optionalMatch = (c: Context): AcceptedVersions =>
  c.req.header('if-match') === undefined ? '*' : ifMatch(c)

/**
 * Changes a review and adds the event to its outbox in one write. Concurrent changes do not overwrite each other.
 * @param wanted the versions that the client accepts
 * @param change returns what to write; undefined if the user may not change the review
 * @throws Problem 404 if there is no such review or the user may not change it, 412 if the version is stale
 */
export async function writeReview(
  reviews: Reviews,
  named: Named,
  wanted: AcceptedVersions,
  change: (review: ReviewState) => ReviewChange | undefined,
): Promise<ReviewState> {
  for (;;) {
    const review = await readReview(reviews, named)
    const changed = change(review)
    if (changed === undefined) throw noReview()
    checkVersion(wanted, review.version)
    const { _id, version } = review
    const { matchedCount } = await reviews.updateOne({ _id, version }, updateOf(changed))
    if (matchedCount === 1) return { ...review, ...changed.set }
    // another write came first: read again; unless `wanted` is `*`, that throws 412
  }
}

const updateOf = ({ set, unset, event }: ReviewChange) => ({
  $set: set,
  ...(unset === undefined ? {} : { $unset: unset }),
  ...(event === undefined ? {} : { $push: { outbox: event } }),
})

/** How many reviews are changed together: few enough that even a slow store does it well within its timeout. */
const atOnce = 25

/** Deletes the reviews of a deleted user, and the answers that they wrote. */
export async function forgetAuthor(
  reviews: Reviews,
  authorId: string,
  traceparent: string | undefined,
): Promise<void> {
  while (await withdrawSome(reviews, authorId, traceparent));
  // those that staff have removed
  await reviews.updateMany({ authorId }, { $unset: { authorId: '' } })
  await reviews.updateMany({ 'answer.authorId': authorId }, { $set: { answer: null }, $inc: { version: 1 } })
}

/** Withdraws some of an author's reviews. Returns whether there were any. */
async function withdrawSome(
  reviews: Reviews,
  authorId: string,
  traceparent: string | undefined,
): Promise<boolean> {
  const some = await reviews.find({ authorId, deletedAt: null }, stateOnly).limit(atOnce).toArray()
  if (some.length === 0) return false
  await reviews.bulkWrite(
    some.map((review) => {
      const { _id, version } = review
      const update = updateOf(withdraw(review, { traceparent, actor: 'system' }))
      // one that was changed meanwhile is found again
      return { updateOne: { filter: { _id, version }, update } }
    }),
    { ordered: false },
  )
  return true
}

/** Adds up the stars of a product's reviews. */
export async function starsIn(
  reviews: Reviews,
  productId: string,
): Promise<Pick<RatingState, 'sum' | 'count'>> {
  const [found] = await reviews
    .aggregate<Pick<RatingState, 'sum' | 'count'>>([
      { $match: { productId, deletedAt: null } },
      { $group: { _id: null, sum: { $sum: '$stars' }, count: { $sum: 1 } } },
    ])
    .toArray()
  return { sum: found?.sum ?? 0, count: found?.count ?? 0 }
}

/** Deletes the rest of a review that its author has withdrawn. The relay must have collected its last event. */
export const purge = async (reviews: Reviews, reviewId: string): Promise<void> => {
  await reviews.deleteOne({ _id: reviewId, deletedAt: { $ne: null }, authorId: { $exists: false } })
}
