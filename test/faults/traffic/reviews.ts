import { good } from '../../../demo/client/good.ts'
import type { Person } from '../../../demo/client/shop.ts'
import type { Change } from './change.ts'
import { skus, withKey, type Scene } from './scene.ts'

/** Reviews products, as soon as the shop knows that the customer has bought them; changes and deletes reviews. */
export function createReviews({ random, people, insist, promised }: Scene, change: Change) {
  /** Customers who are reviewing something: nobody does so twice at a time. */
  const busy = new Set<Person>()

  /** Someone reviews something, or changes or deletes their review of it. */
  async function review() {
    const who = random.pick(people)
    if (busy.has(who)) return
    busy.add(who)
    try {
      const found = await write(who, random.pick(skus), 1 + random.below(5))
      if (found.before !== undefined) await reconsider(who, found.productId, found.before)
    } finally {
      busy.delete(who)
    }
  }

  /**
   * Reviews a product.
   * @returns its id, and the id of the review if the customer has written one before
   */
  async function write(who: Person, sku: string, stars: number) {
    const query = { sku }
    const { items } = await good(insist('a product', () => who.GET('/products', { params: { query } })))
    const { id: productId } = items[0]!
    const body = { stars, title: 'Reviewed while something failed' }
    const params = { path: { id: productId }, ...withKey() }
    const { data, error } = await insist('a review', () =>
      who.POST('/products/{id}/reviews', { params, body }),
    )
    if (data !== undefined) promised.reviews.add(data.id)
    // there is none if the customer has not bought the product
    const before = (error as { review?: string } | undefined)?.review?.split('/').at(-1)
    return { productId, before, isWritten: data !== undefined }
  }

  async function reconsider(who: Person, id: string, reviewId: string) {
    const path = { id, reviewId }
    if (random.next() < 0.7) {
      const body = { stars: 1 + random.below(5) }
      await change(
        () => who.GET('/products/{id}/reviews/{reviewId}', { params: { path } }),
        (header) => who.PATCH('/products/{id}/reviews/{reviewId}', { params: { path, header }, body }),
      )
      return
    }
    const params = { path }
    await insist('deleting a review', () => who.DELETE('/products/{id}/reviews/{reviewId}', { params }))
    promised.reviews.delete(reviewId)
    promised.versions.delete(reviewId)
  }

  return {
    review,
    /** Reviews a product. Returns whether the shop knows that the customer has bought it. */
    reviewOnce: async (who: Person, sku: string, stars: number) => (await write(who, sku, stars)).isWritten,
  }
}
