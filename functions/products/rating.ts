import * as z from 'zod'

/** What reviews say of a product together. Everything here is pure. */

export const Rating = z
  .object({
    average: z.number().min(1).max(5).nullable().meta({
      description: 'Of the stars of all reviews, rounded to two decimals. Null if there is no review.',
      example: 4.33,
    }),
    count: z.int().min(0).meta({ description: 'How many reviews there are.' }),
  })
  .meta({ id: 'Rating' })
export type Rating = z.infer<typeof Rating>

/** A projection of a product's reviews. It changes no version of the product. */
export interface RatingState {
  /** The sum of the stars. */
  sum: number
  count: number
  /** Rises whenever the reviews are counted. */
  version: number
  at: Date
}

/** What a product has that was never reviewed. */
const none = { sum: 0, count: 0 } as const

type Rated = { rating?: RatingState }

/** Converts the rating of a product to that of the API. */
export function toRating({ rating: { sum, count } = none as RatingState }: Rated): Rating {
  return { average: count === 0 ? null : Math.round((100 * sum) / count) / 100, count }
}

/** Returns the average, not rounded, for comparing; 0 if there is no review. */
export const averageOf = ({ rating: { sum, count } = none as RatingState }: Rated): number =>
  count === 0 ? 0 : sum / count
