import type { Collection } from 'mongodb'
import { patiently } from '../../shared/store/mongodb.ts'
import type { ProductDocument } from '../product.ts'
import {
  createSearchIndex,
  entryFields,
  statedFields,
  type EntryDocument,
  type SearchIndex,
  type Stated,
} from './search-index.ts'

/**
 * How far back each look for changes reaches, in ms: further than a write takes and than the clocks of two processes
 * differ.
 */
const overlapMs = 10_000
/** After how long the index is made anew, in ms, in case that a change was missed nevertheless. */
const renewMs = 15 * 60_000

/** Returns an index that has every change committed before the call. */
export type Search = () => Promise<SearchIndex>

/**
 * Opens the index of a process. It is read from the store on the first call, and each call takes over what has changed
 * since: a look at an index of the store, for all calls that wait together.
 */
export function openSearch(products: Collection<ProductDocument>, now = Date.now): Search {
  let current: { index: SearchIndex; since: number; loadedAt: number } | undefined
  let renewing: Promise<void> | undefined

  async function load(): Promise<void> {
    const loadedAt = now()
    const index = createSearchIndex()
    const all = products.find<EntryDocument>(
      { deletedAt: null },
      { projection: entryFields, batchSize: 500, ...patiently },
    )
    for await (const document of all) index.put(document)
    current = { index, since: loadedAt, loadedAt }
  }

  async function refresh(): Promise<SearchIndex> {
    if (current === undefined) await load()
    else if (now() - current.loadedAt > renewMs)
      // meanwhile, the present index answers
      renewing ??= load()
        .catch(() => {})
        .finally(() => (renewing = undefined))
    const { index, since } = current!
    const from = now()
    const at = { $gt: new Date(since - overlapMs) }
    const changed = await Promise.all(
      // an index each
      [{ updatedAt: at }, { 'stock.at': at }, { 'rating.at': at }].map((filter) =>
        products.find<Stated>(filter, { projection: statedFields }).toArray(),
      ),
    )
    const ids = changed.flat().flatMap((document) => (index.has(document) ? [] : document._id))
    if (ids.length > 0) {
      const found = products.find<EntryDocument>({ _id: { $in: ids } }, { projection: entryFields })
      for await (const document of found) index.put(document)
    }
    if (current?.index === index) current.since = from
    return index
  }

  return inTurns(refresh)
}

/** Returns an index of a single product, which is read from the store. */
export async function indexOf(products: Collection<ProductDocument>, sku: string): Promise<SearchIndex> {
  const index = createSearchIndex()
  const document = await products.findOne<EntryDocument>(
    { sku, deletedAt: null },
    { projection: entryFields },
  )
  if (document !== null) index.put(document)
  return index
}

/** Returns a function that runs the work once for all calls that wait, after the one that is running. */
function inTurns<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | undefined
  return () =>
    (next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined
        const started = work()
        running = started
        return started
      }))
}
