import * as z from 'zod'
import { uuidv7 } from 'uuidv7'
import { outboxEntry, type EntryOptions, type OutboxEntry } from '../../events/mongodb-outbox.ts'
import type { Answer as KeptAnswer, IdempotencyKey } from '../shared/store/idempotency.ts'
import { changeOf, Id, text, Timestamp } from '../shared/schemas/schemas.ts'
import { events, removalReasons, type RemovalReason } from './events.ts'

/**
 * Reviews: documents, schemas and rules. Everything here is pure.
 *
 *   create ─► shown ─► (author) withdrawn: the author may write another one
 *              └─────► (staff) removed: the author may not
 */

const Stars = z.int().min(1).max(5)
const Title = text(100, 0)
const Text = text(5_000, 0)

const answerers = ['seller', 'shop'] as const
type Answerer = (typeof answerers)[number]

export const Review = z
  .object({
    id: Id,
    productId: Id,
    stars: Stars,
    title: z.string(),
    text: z.string(),
    answer: z
      .object({
        text: z.string(),
        by: z.enum(answerers).meta({ description: 'Whether the seller has answered, or staff of the shop.' }),
        answeredAt: Timestamp,
      })
      .nullable(),
    version: z.int().meta({ description: 'Rises with each change, also with one of the answer.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp.meta({ description: 'When its author last changed it.' }),
  })
  .meta({ id: 'Review' })
export type Review = z.infer<typeof Review>

export const NewReview = z
  .strictObject({ stars: Stars, title: Title.default(''), text: Text.default('') })
  .meta({ id: 'NewReview' })
export type NewReview = z.infer<typeof NewReview>

export const ReviewPatch = changeOf(
  { stars: Stars.optional(), title: Title.optional(), text: Text.optional() },
  'ReviewPatch',
)
export type ReviewPatch = z.infer<typeof ReviewPatch>

export const NewAnswer = z.strictObject({ text: text(5_000) }).meta({ id: 'NewAnswer' })
export type NewAnswer = z.infer<typeof NewAnswer>

export const ReviewParam = z.object({ id: Id, reviewId: Id })

export const Removal = z.strictObject({
  reason: z.enum(removalReasons).optional().meta({
    description:
      'Why staff remove the review of a customer, who is told it. They must say; authors need not.',
  }),
})

interface AnswerState {
  text: string
  by: Answerer
  authorId: string
  at: Date
}

/** The data of a review. */
export interface ReviewState {
  _id: string
  productId: string
  /** Unique among the reviews of a product. A review that its author has withdrawn has none. */
  authorId?: string
  stars: number
  title: string
  text: string
  answer: AnswerState | null
  version: number
  createdAt: Date
  updatedAt: Date
  /** Set if the review is withdrawn or removed. Its texts are gone then. */
  deletedAt: Date | null
  /** Why staff have removed it. */
  removedFor?: RemovalReason
}

export interface ReviewDocument extends ReviewState {
  /** Events that the relay has not collected yet. */
  outbox: OutboxEntry[]
  /** The request that created the review, and its answer. */
  creation?: IdempotencyKey & { at: Date; answer: KeptAnswer }
}

/** What a change writes. */
export interface ReviewChange {
  set: Partial<ReviewState> & { version: number }
  /** The fields that go. */
  unset?: { authorId?: ''; creation: '' }
  /** None if the stars stay as they are. */
  event?: OutboxEntry
}

/** Returns the document of a new review, with its `review.created` event. */
export function newReview(
  input: NewReview,
  productId: string,
  authorId: string,
  cause?: EntryOptions,
): ReviewDocument {
  const now = new Date()
  const state: ReviewState = {
    ...input,
    _id: uuidv7(),
    productId,
    authorId,
    answer: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }
  return { ...state, outbox: [outboxEntry(events, 'review.created', state._id, starsOf(state), cause)] }
}

/** Applies its author's change. */
export function changeReview(review: ReviewState, patch: ReviewPatch, cause?: EntryOptions): ReviewChange {
  const set = {
    stars: patch.stars ?? review.stars,
    title: patch.title ?? review.title,
    text: patch.text ?? review.text,
    version: review.version + 1,
    updatedAt: new Date(),
  }
  const data = starsOf({ ...review, ...set })
  return { set, event: outboxEntry(events, 'review.updated', review._id, data, cause) }
}

/** Deletes a review for its author. Nothing tells any more who that was. */
export const withdraw = (review: ReviewState, cause?: EntryOptions): ReviewChange => ({
  ...deleted(review, {}, cause),
  unset: { authorId: '', creation: '' },
})

/** Deletes a review for staff. It keeps its author, who is told why and cannot write another one. */
export const removeReview = (
  review: ReviewState,
  reason: RemovalReason,
  cause?: EntryOptions,
): ReviewChange => {
  const { set, ...rest } = deleted(review, { reason }, cause)
  return { set: { ...set, removedFor: reason }, ...rest, unset: { creation: '' } }
}

function deleted(
  { _id, productId, version }: ReviewState,
  why: { reason?: RemovalReason },
  cause?: EntryOptions,
): ReviewChange {
  const next = version + 1
  const data = { reviewId: _id, productId, version: next, ...why }
  return {
    set: { title: '', text: '', answer: null, deletedAt: new Date(), version: next },
    event: outboxEntry(events, 'review.deleted', _id, data, cause),
  }
}

/** Answers a review, or replaces the answer. */
export const answerReview = (
  { version }: ReviewState,
  { text }: NewAnswer,
  by: Pick<AnswerState, 'by' | 'authorId'>,
): ReviewChange => ({ set: { answer: { text, ...by, at: new Date() }, version: version + 1 } })

export const deleteAnswerOf = ({ version }: ReviewState): ReviewChange => ({
  set: { answer: null, version: version + 1 },
})

/** Converts a document to the API's review, which does not tell who wrote it. */
export const toReview = ({ _id, productId, stars, title, text, version, ...rest }: ReviewState): Review => ({
  id: _id,
  productId,
  stars,
  title,
  text,
  answer: rest.answer && {
    text: rest.answer.text,
    by: rest.answer.by,
    answeredAt: rest.answer.at.toISOString(),
  },
  version,
  createdAt: rest.createdAt.toISOString(),
  updatedAt: rest.updatedAt.toISOString(),
})

const starsOf = ({ _id, productId, stars, version }: ReviewState) => ({
  reviewId: _id,
  productId,
  stars,
  version,
})
