import type { Collection } from 'mongodb'
import * as z from 'zod'
import { allCollected, type EntryOptions, type WithOutbox } from '../../events/mongodb-outbox.ts'
import type { User } from '../shared/auth/access-token.ts'
import type { Outcome, ReadLine } from '../shared/http/lines/answer-lines.ts'
import { Problem } from '../shared/http/problems.ts'
import { isDuplicate } from '../shared/store/mongodb-errors.ts'
import { Id, Sku } from '../shared/schemas/schemas.ts'
import { ensureCategories } from './category-store.ts'
import { changeTo } from './line.ts'
import {
  mayChange,
  newProduct,
  update,
  type NewProduct,
  type ProductDocument,
  type ProductState,
} from './product.ts'
import { problems } from './problems.ts'
import {
  announceMs,
  checkNewOptions,
  groupFor,
  insertAll,
  notAnnounced,
  stateOnly,
  variantTaken,
  writeChange,
} from './store.ts'

type Products = Collection<ProductDocument>
type Line = ReadLine<NewProduct>

/** What is answered for a line that is done. */
export const doneMembers = {
  sku: Sku,
  productId: Id,
  result: z.enum(['created', 'updated', 'unchanged']),
}

interface Importer {
  products: Products
  categories: Parameters<typeof ensureCategories>[0]
  user: User
  cause: EntryOptions
}

/**
 * Creates the products of lines, or changes those that have their SKUs. What is done can be repeated, so lines can be sent
 * again.
 * @returns what became of each line
 */
export async function importLines(lines: readonly Line[], importer: Importer): Promise<Outcome[]> {
  const outcomes = new Map<number, Outcome>()
  // lines with one SKU, one after another
  for (const round of roundsOf(lines)) {
    const left = await createMissing(round, importer, outcomes)
    await changeKnown(left, importer, outcomes)
  }
  const done = lines.filter(({ line }) => !(outcomes.get(line) instanceof Problem))
  // afterwards, so that none is deleted meanwhile because nothing is in it
  await ensureCategories(importer.categories, [...new Set(done.map(({ value }) => value.category))])
  return lines.map(({ line }) => outcomes.get(line)!)
}

/** Splits lines into groups in which each SKU occurs once. */
function roundsOf(lines: readonly Line[]): Line[][] {
  const rounds: Line[][] = []
  const seen = new Map<string, number>()
  for (const line of lines) {
    const nth = seen.get(line.value.sku) ?? 0
    seen.set(line.value.sku, nth + 1)
    rounds[nth] = [...(rounds[nth] ?? []), line]
  }
  return rounds
}

/** Creates the products that do not exist. Returns the lines of those that do. */
async function createMissing(
  lines: readonly Line[],
  importer: Importer,
  outcomes: Map<number, Outcome>,
): Promise<Line[]> {
  const { products, user, cause } = importer
  const skus = lines.map(({ value }) => value.sku)
  const known = await products.find({ sku: { $in: skus } }, { projection: { sku: 1 } }).toArray()
  const taken = new Set(known.map(({ sku }) => sku))
  const missing = lines.filter(({ value }) => !taken.has(value.sku))
  const { true: variants = [], false: plain = [] } = Object.groupBy(missing, ({ value }) =>
    value.variantOf === undefined ? 'false' : 'true',
  )
  const documents = plain.map(({ value }) => newProduct(value, user.id, cause))
  const created = await insertAll(products, documents)
  for (const [i, { line, value }] of plain.entries())
    if (created.has(value.sku))
      outcomes.set(line, { sku: value.sku, productId: documents[i]!._id, result: 'created' })
  for (const variant of variants) outcomes.set(variant.line, await createVariant(variant.value, importer))
  return lines.filter(({ line }) => !outcomes.has(line))
}

async function createVariant(value: NewProduct, { products, user, cause }: Importer): Promise<Outcome> {
  try {
    const document = newProduct(value, user.id, cause, await groupFor(products, value, user))
    await products.insertOne(document)
    return { sku: value.sku, productId: document._id, result: 'created' }
  } catch (error) {
    if (error instanceof Problem) return error
    if (isDuplicate(error, 'sku')) return skuTaken(value.sku)
    if (isDuplicate(error, 'optionsKey')) return variantTaken(value.options)
    throw error
  }
}

const skuTaken = (sku: string) =>
  new Problem(problems['sku-taken'], { detail: `Another product has the SKU ${sku}.` })

/** Changes products to what their lines say, and waits until no order is made at their prices before. */
async function changeKnown(
  lines: readonly Line[],
  importer: Importer,
  outcomes: Map<number, Outcome>,
): Promise<void> {
  if (lines.length === 0) return
  const { products } = importer
  const skus = lines.map(({ value }) => value.sku)
  const known = await products.find({ sku: { $in: skus } }, stateOnly).toArray()
  const bySku = new Map(known.map((product) => [product.sku, product]))
  const events = await Promise.all(
    lines.map(async ({ line, value }) => {
      const product = bySku.get(value.sku)!
      try {
        const event = await changeOne(product, value, importer)
        const result = event === undefined ? 'unchanged' : 'updated'
        outcomes.set(line, { sku: value.sku, productId: product._id, result })
        return event === undefined ? [] : [{ line, id: event }]
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        outcomes.set(line, error)
        return []
      }
    }),
  )
  const emitted = events.flat()
  if (emitted.length === 0) return
  const ids = emitted.map(({ id }) => id)
  if (await allCollected(products as unknown as Collection<WithOutbox>, ids, announceMs)) return
  for (const { line } of emitted) outcomes.set(line, notAnnounced())
}

/** Changes a product, unless it is what the line says. Returns the id of the event. */
async function changeOne(
  product: ProductState,
  line: NewProduct,
  { products, user, cause }: Importer,
): Promise<string | undefined> {
  if (product.deletedAt !== null || !mayChange(product, user)) throw skuTaken(line.sku)
  if (changeTo(product, line) === undefined) return undefined
  if (line.options !== undefined) await checkNewOptions(products, product._id, line.options)
  const { event } = await writeChange(products, product._id, user, '*', (current) =>
    update(current, changeTo(current, line) ?? {}, cause),
  )
  return event.id
}
