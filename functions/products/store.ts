import { setTimeout } from 'node:timers/promises'
import { MongoClient, MongoServerError, type Collection, type Db, type MongoClientOptions } from 'mongodb'
import { ConfigError, settings } from '../shared/process/config.ts'
import type { User } from '../shared/auth/access-token.ts'
import { keyLifetimeMs, replay, toAnswer, type IdempotencyKey } from '../shared/store/idempotency.ts'
import { Problem } from '../shared/http/problems.ts'
import { checkVersion } from '../shared/http/entity-tag.ts'
import { mayChange, type Change, type ProductDocument, type ProductState } from './product.ts'

type Products = Collection<ProductDocument>

/**
 * Opens the products without waiting for the server. The indexes are the migration's to make (`ensureIndexes`),
 * so that no function waits for them.
 * @param url names the database in its path
 * @param silentMs after as long without an answer the server is taken for gone; the driver tries again once
 */
export async function openProducts(
  url: string,
  { silentMs = 3_000 } = {},
): Promise<{ db: Db; products: Products; ping: () => Promise<void>; close: () => Promise<void> }> {
  const client = openClient(url, {
    appName: 'zeroshop-products',
    maxPoolSize: 10,
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: silentMs,
    // what was answered must survive a crash of the server
    writeConcern: { w: 'majority', journal: true },
  })
  const db = client.db()
  const closing = new AbortController()
  void connect(client, closing.signal)
  return {
    db,
    products: db.collection<ProductDocument>('products'),
    ping: async () => {
      await db.command({ ping: 1 })
    },
    close: async () => {
      closing.abort()
      await client.close()
    },
  }
}

function openClient(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options)
  } catch (error) {
    // it tells of the URL's form, never of the URL
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError(
      `MONGODB_URL cannot be used: it is ${settings.MONGODB_URL}. MongoDB’s driver says: ${reason}.`,
    )
  }
}

/** A client whose first attempt to connect fails stays closed for good (driver 7.9): so it is told to try again. */
async function connect(client: MongoClient, closing: AbortSignal): Promise<void> {
  while (!closing.aborted)
    try {
      await client.connect()
      return
    } catch {
      // who needs the store is told so by what it does with it
      await setTimeout(500, undefined, { ref: false })
    }
}

/** Makes the indexes that are missing: uniqueness depends on them, so run it before the first product. */
export async function ensureIndexes(products: Products): Promise<void> {
  await products.createIndexes([
    { name: 'sku', key: { sku: 1 }, unique: true },
    {
      name: 'creation',
      key: { 'creation.caller': 1, 'creation.key': 1 },
      unique: true,
      partialFilterExpression: { 'creation.key': { $exists: true } },
    },
    { name: 'outbox', key: { 'outbox.id': 1 }, sparse: true },
    { name: 'words', key: { words: 1, _id: 1 } },
    { name: 'category', key: { category: 1, _id: 1 } },
    { name: 'price', key: { 'price.currency': 1, 'price.amount': 1, _id: 1 } },
    { name: 'name', key: { nameKey: 1, _id: 1 } },
  ])
}

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
          throw new Problem('sku-taken', { detail: `Another product has the SKU ${product.sku}.` })
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
