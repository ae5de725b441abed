import type { Books, Finding } from './checker.ts'

/** What the checker reads of reviews. */
export interface ReviewBooks {
  reviews: {
    _id: string
    productId: string
    authorId?: string
    stars: number
    version: number
    deletedAt: Date | null
    /** Events that the relay has not collected. */
    outbox?: { id: string; type: string }[]
  }[]
}

/** The reviews that the shop shows. */
export const shownReviews = ({ reviews }: ReviewBooks) =>
  reviews.filter(({ deletedAt }) => deletedAt === null)

/** Checks that reviews are by buyers, that each has written one of a product, and that the ratings agree. */
export function reviews(books: Books): Finding {
  const violations: string[] = []
  const shown = shownReviews(books)
  const bought = new Set(
    books.orders
      .filter(({ status }) => status === 'completed')
      .flatMap(({ customer_id: customer, lines }) => lines.map(({ sku }) => `${customer} ${sku}`)),
  )
  const byProduct = Map.groupBy(shown, ({ productId }) => productId)
  for (const { _id, sku, rating } of books.products) {
    const own = byProduct.get(_id) ?? []
    const sum = own.reduce((all, { stars }) => all + stars, 0)
    const { sum: kept = 0, count = 0 } = rating ?? {}
    if (kept !== sum || count !== own.length)
      violations.push(
        `${sku} is rated ${kept} stars of ${count} reviews, but its ${own.length} reviews have ${sum}`,
      )
    for (const [author, theirs] of Map.groupBy(own, ({ authorId }) => authorId)) {
      if (theirs.length > 1) violations.push(`${author} has reviewed ${sku} ${theirs.length} times`)
      if (!bought.has(`${author} ${sku}`))
        violations.push(`${author} has reviewed ${sku} without a completed order`)
    }
  }
  return {
    name: 'I10',
    what: 'a customer reviews a product once, and only after buying it; a product’s rating is that of its reviews',
    figures: `${shown.length} reviews`,
    violations,
  }
}
