import type { Collection, Filter } from 'mongodb'
import { collected, type WithOutbox } from '../../events/mongodb-outbox.ts'
import type { User } from '../shared/auth/access-token.ts'
import { duplicatesIn, isDuplicate } from '../shared/store/mongodb-errors.ts'
import { keyLifetimeMs, replay, toAnswer, type IdempotencyKey } from '../shared/store/idempotency.ts'
import { Problem } from '../shared/http/problems.ts'
import { checkVersion, etag, type AcceptedVersions } from '../shared/http/entity-tag.ts'
import {
  groupOf,
  mayChange,
  type Change,
  type NewProduct,
  type ProductDocument,
  type ProductState,
} from './product.ts'
import { problems } from './problems.ts'
import { checkOptions, maxVariants, named, type Options } from './variant.ts'

type Products = Collection<ProductDocument>

export const noProduct = () => new Problem('not-found', { detail: 'The shop has no such product.' })

/** Leaves out the fields that no answer contains. */
export const stateOnly = { projection: { words: 0, outbox: 0, creation: 0 } } as const

/**
 * Returns the entity tag of a product, which also changes with what is projected. No two answers have the same, because
 * the versions of projections only rise.
 */
export const tagOf = ({ version, stock, rating }: Pick<ProductState, 'version' | 'stock' | 'rating'>) =>
  etag(version, (stock?.version ?? 0) + (rating?.version ?? 0))

/**
 * Inserts a product together with the answer to its request, so that a retry gets the same answer.
 * @throws Problem 409 if the SKU is taken or another variant has its options, 422 if the key was used for another request
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
        if (isDuplicate(error, 'optionsKey')) throw variantTaken(product.options)
      } else if (at.getTime() - first.creation.at.getTime() < keyLifetimeMs) {
        return replay(first.creation, key)
      } else {
        // the key has expired, so free it and retry
        await products.updateOne(
          { _id: first._id, 'creation.at': first.creation.at },
          { $unset: { creation: '' } },
        )
      }
    }
  }
}

export const variantTaken = (options: Options = {}) =>
  new Problem(problems['variant-taken'], {
    detail: `There is a variant with ${named(options)}. Change that one, or give this one other options.`,
  })

/** Returns the products with these ids, in this order, without those that are deleted meanwhile. */
export async function productsBy(products: Products, ids: readonly string[]): Promise<ProductState[]> {
  if (ids.length === 0) return []
  const found = await products.find({ _id: { $in: [...ids] }, deletedAt: null }, stateOnly).toArray()
  const byId = new Map(found.map((product) => [product._id, product]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** Returns the variants of a group that are for sale. */
async function variantsOf(products: Products, group: string): Promise<ProductState[]> {
  const read = (filter: Filter<ProductDocument>) =>
    products.find({ ...filter, deletedAt: null }, stateOnly).toArray()
  // the first product of a group may be of an earlier version, which did not say so
  const found = await Promise.all([read({ group }), read({ _id: group, group: { $exists: false } })])
  return found.flat()
}

/**
 * Returns the group of a new variant; undefined if it is none.
 * @throws Problem 400 if the user has no such product or the options do not match those of its variants, 409 if it has
 *   too many
 */
export async function groupFor(
  products: Products,
  { variantOf, options = {} }: NewProduct,
  user: User,
): Promise<string | undefined> {
  if (variantOf === undefined) return undefined
  const refuse = (detail: string) =>
    new Problem('invalid-request', {
      detail: 'It cannot be a variant of this product.',
      errors: [{ pointer: '/body/variantOf', detail }],
    })
  const other = await products.findOne({ _id: variantOf, deletedAt: null }, stateOnly)
  if (other === null || !mayChange(other, user)) throw refuse('you have no such product')
  if (Object.keys(other.options ?? {}).length === 0)
    throw refuse('it has no options: give it some first, such as its size')
  checkOptions(options, other.options ?? {})
  const group = groupOf(other)
  if ((await variantsOf(products, group)).length >= maxVariants)
    throw new Problem(problems['too-many-variants'], {
      detail: `A product has at most ${maxVariants} variants.`,
    })
  return group
}

/**
 * Checks new options of a product.
 * @throws Problem 400 if they do not match those of the other variants
 */
export async function checkNewOptions(products: Products, id: string, options: Options): Promise<void> {
  const product = await products.findOne({ _id: id, deletedAt: null }, stateOnly)
  if (product === null) return
  const other = (await variantsOf(products, groupOf(product))).find(({ _id }) => _id !== id)
  if (other !== undefined) checkOptions(options, other.options ?? {})
}

/** How long a change waits until its event is collected, in ms: as long as it takes to restart a relay. */
export const announceMs = 5_000

/**
 * Changes a product, and waits until its event is collected: after that, no order is made at the price
 * before. See `writeChange` for its parameters and its other errors.
 * @throws Problem 503 if the change is made, but its event is not collected in time
 */
export async function changeProduct(
  ...[products, ...change]: Parameters<typeof writeChange>
): Promise<ProductState> {
  const { product, event } = await writeChange(products, ...change)
  const documents = products as unknown as Collection<WithOutbox>
  if (await collected(documents, product._id, event.id, announceMs)) return product
  throw notAnnounced(
    `The product has version ${product.version} now, but for a moment it may still be ordered as it was. ` +
      'Read it before you change it again.',
  )
}

export const notAnnounced = (
  detail = 'The product is changed, but for a moment it may still be ordered as it was.',
) => new Problem(problems['change-not-announced'], { detail, headers: { 'retry-after': '2' } })

/**
 * Inserts products. Those whose SKU is taken are left out.
 * @returns the SKUs of those that were inserted
 */
export async function insertAll(
  products: Products,
  documents: readonly ProductDocument[],
): Promise<Set<string>> {
  if (documents.length === 0) return new Set()
  const refused = await products
    .insertMany([...documents], { ordered: false })
    .then(() => new Set<number>(), duplicatesIn)
  return new Set(documents.flatMap(({ sku }, i) => (refused.has(i) ? [] : [sku])))
}

/**
 * Changes a product and adds the event to its outbox in one write. Concurrent changes do not overwrite each
 * other.
 * @param wanted the versions that the client accepts
 * @returns the changed product, and the event
 * @throws Problem 404 if there is no such product or the user may not change it, 412 if the version is stale, 409 if
 *   another variant has the same options
 */
export async function writeChange(
  products: Products,
  id: string,
  user: User,
  wanted: AcceptedVersions,
  change: (product: ProductState) => Change,
): Promise<{ product: ProductState; event: Change['event'] }> {
  for (;;) {
    const product = await products.findOne({ _id: id, deletedAt: null }, stateOnly)
    if (product === null || !mayChange(product, user)) throw noProduct()
    checkVersion(wanted, product.version)
    const { set, event } = change(product)
    const { matchedCount } = await products
      .updateOne({ _id: id, version: product.version }, { $set: set, $push: { outbox: event } })
      .catch((error: unknown) => {
        throw isDuplicate(error, 'optionsKey') ? variantTaken(set.options) : error
      })
    if (matchedCount === 1) return { product: { ...product, ...set }, event }
    // another write came first: read again; unless `wanted` is `*`, that throws 412
  }
}
