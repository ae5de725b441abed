import { MongoServerError, type Collection } from 'mongodb'
import type { User } from '../shared/auth/access-token.ts'
import { keyLifetimeMs, replay, toAnswer, type IdempotencyKey } from '../shared/store/idempotency.ts'
import { Problem } from '../shared/http/problems.ts'
import { checkVersion } from '../shared/http/entity-tag.ts'
import { mayChange, type Change, type ProductDocument, type ProductState } from './product.ts'
import { problems } from './problems.ts'

type Products = Collection<ProductDocument>

export const noProduct = () => new Problem('not-found', { detail: 'The shop has no such product.' })

/** Without what no answer shows. */
export const stateOnly = { projection: { words: 0, outbox: 0, creation: 0 } } as const

/**
 * Inserts a product together with the answer to the request that made it, so that the answer can be given again.
 * @throws Problem 409 where the SKU is taken, 422 where the key was used for another request
 */
export async function insertOnce(
  products: Products,
  product: ProductDocument,
  key: IdempotencyKey,
  response: Response,
): Promise<Response> {
  const { caller } = key
  const mine = { 'creation.caller': caller, 'creation.key': key.key }
  const answer = await toAnswer(response)
  for (;;) {
    const at = new Date()
    try {
      await products.insertOne({ ...product, creation: { ...key, at, answer } })
      return response
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const first = await products.findOne(mine, { projection: { creation: 1 } })
      if (first?.creation === undefined) {
        if (isDuplicate(error, 'sku'))
          throw new Problem(problems['sku-taken'], { detail: `Another product has the SKU ${product.sku}.` })
      } else if (at.getTime() - first.creation.at.getTime() < keyLifetimeMs) {
        return replay(first.creation, key)
      } else {
        // the day of the key is over: it is free again
        await products.updateOne(
          { _id: first._id, 'creation.at': first.creation.at },
          { $unset: { creation: '' } },
        )
      }
    }
  }
}

/** Whether an index, or the one on `field`, refused a document. */
export const isDuplicate = (error: unknown, field?: string): boolean =>
  error instanceof MongoServerError &&
  error.code === 11_000 &&
  // what the server says of a duplicate key
  (field === undefined || field in ((error['keyPattern'] ?? {}) as object))

/**
 * Changes a product of the user's and puts its event into its outbox, in one write; no change is lost to another
 * one that was made at the same time.
 * @param wanted the version that the client has seen, or `*`
 * @throws Problem 404 where it is not theirs to change, 412 where the version is not the current one
 */
export async function changeProduct(
  products: Products,
  id: string,
  user: User,
  wanted: number | '*',
  change: (product: ProductState) => Change,
): Promise<ProductState> {
  for (;;) {
    const product = await products.findOne({ _id: id, deletedAt: null }, stateOnly)
    if (product === null || !mayChange(product, user)) throw noProduct()
    checkVersion(wanted, product.version)
    const { set, event } = change(product)
    const { matchedCount } = await products.updateOne(
      { _id: id, version: product.version },
      { $set: set, $push: { outbox: event } },
    )
    if (matchedCount === 1) return { ...product, ...set }
    // someone was faster: look again, which refuses all but `*`
  }
}
