import type { Context } from 'hono'
import type { Collection } from 'mongodb'
import { uuidv7 } from 'uuidv7'
import { checkVersion, ifMatch, type AcceptedVersions } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { isDuplicate } from '../shared/store/mongodb-errors.ts'
import {
  mergeLines,
  newCart,
  tagOf,
  toCart,
  withoutOrdered,
  type CartDocument,
  type CartState,
  type Line,
  type Product,
  type Products,
} from './cart.ts'
import { productsWith } from './prices.ts'

export type Carts = Collection<CartDocument>

export interface Deps {
  carts: Carts
  products: Collection<Product>
}

/** A cart, or null if the owner has none, and the products that are in it. */
export interface Found {
  cart: CartState | null
  products: Products
  /** Whether it is a guest's and is being merged into a user's: it does not exist for the guest any more. */
  isClosed?: boolean
}

/** Leaves out what no client sees. */
const stateOnly = { projection: { outbox: 0, attempts: 0, merged: 0 } } as const

/** Returns an owner's cart with its products, and with those of further SKUs. */
export async function readCart(
  { carts, products }: Deps,
  ownerId: string | undefined,
  more: readonly string[] = [],
): Promise<Found> {
  const found = ownerId === undefined ? null : await carts.findOne({ _id: ownerId }, stateOnly)
  const isClosed = found?.mergedInto !== undefined
  const cart = isClosed ? null : found
  const skus = [...(cart?.lines ?? []).map(({ sku }) => sku), ...more]
  return { cart, products: await productsWith(products, skus), isClosed }
}

export const noItem = () =>
  new Problem('not-found', {
    detail: 'There is no such item. Check the SKU: the shop may not sell it, or the cart may not have it.',
  })

/** Returns the versions that a change accepts: any, unless the client sends an If-Match. */
export const wantedBy = (c: Context): AcceptedVersions =>
  c.req.header('if-match') === undefined ? '*' : ifMatch(c)

/** @throws Problem 412 if the client has not seen the cart as it is */
export function checkSeen(wanted: AcceptedVersions, { cart, products }: Found): void {
  if (wanted !== '*') checkVersion(wanted, tagOf(toCart(cart, products)))
}

/** What a change of a cart writes. */
type Changed = Partial<Pick<CartState, 'lines' | 'cartId' | 'merged' | 'attempts'>>

/**
 * Writes a changed cart, or a new one.
 * @param cart as it was read
 * @returns the cart, or undefined if it was changed meanwhile
 */
export async function writeCart(
  carts: Carts,
  ownerId: string,
  cart: CartState | null,
  changed: Changed,
): Promise<CartState | undefined> {
  const updatedAt = new Date()
  if (cart === null)
    try {
      const created = newCart(ownerId, changed, updatedAt)
      await carts.insertOne(created)
      return created
    } catch (error) {
      if (isDuplicate(error)) return undefined
      throw error
    }
  const set = { ...changed, updatedAt, version: cart.version + 1 }
  const { matchedCount } = await carts.updateOne({ _id: ownerId, version: cart.version }, { $set: set })
  return matchedCount === 1 ? { ...cart, ...set } : undefined
}

/**
 * Takes lines out of a cart, and answers with 204.
 * @param change returns the lines that stay
 * @throws Problem 412 if the client has not seen the cart as it is
 */
export async function changeLines(
  { hono, empty }: { hono: Context; empty: () => Response },
  deps: Deps,
  { id, headers }: { id: string | undefined; headers: Record<string, string> },
  change: (lines: readonly Line[]) => Line[],
): Promise<Response> {
  const wanted = wantedBy(hono)
  for (;;) {
    const found = await readCart(deps, id)
    const { cart } = found
    const lines = change(cart?.lines ?? [])
    checkSeen(wanted, found)
    if (cart !== null && cart.lines.length > lines.length) {
      const written = await writeCart(deps.carts, cart._id, cart, { lines })
      // it was changed meanwhile: the change is applied to what is there now
      if (written === undefined) continue
    }
    for (const [name, value] of Object.entries(headers)) hono.header(name, value)
    return empty()
  }
}

/**
 * Takes out of a user's cart what was ordered from it, and gives the cart another `cartId`, so that nothing else is
 * ordered from it as it was. It may run any number of times.
 * @param known the cart, if it was read a moment ago
 */
export async function removeOrdered(
  carts: Carts,
  userId: string,
  { cartId, lines }: { cartId: string; lines: readonly { sku: string; quantity: number }[] },
  known?: CartState,
): Promise<void> {
  const read = () => carts.findOne({ _id: userId, cartId }, stateOnly)
  let cart = known ?? (await read())
  while (cart !== null) {
    const changed = { lines: withoutOrdered(cart.lines, lines), cartId: uuidv7() }
    if ((await writeCart(carts, userId, cart, changed)) !== undefined) return
    cart = await read()
  }
}

/** Forgets an attempt to check out, so that its key can be used again. */
export async function forgetAttempt(carts: Carts, userId: string, key: string): Promise<void> {
  await carts.updateOne({ _id: userId }, { $pull: { attempts: { key } } })
}

/** How many carts a user's cart remembers that were merged into it. */
const remembered = 20

/**
 * Moves what is in a guest's cart into the user's, once, also if it runs several times at once or is interrupted. The
 * guest's cart is closed first, so that nothing is added to it meanwhile.
 * @param available returns how many are available of SKUs that both carts have
 */
export async function mergeCarts(
  carts: Carts,
  guestId: string,
  userId: string,
  available: (skus: readonly string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<void> {
  const mine = { _id: guestId, mergedInto: { $in: [null, userId] } } as const
  const { matchedCount } = await carts.updateOne(mine as never, {
    $set: { mergedInto: userId },
    $inc: { version: 1 },
  })
  if (matchedCount === 0) return
  const guests = await carts.findOne({ _id: guestId })
  // another request has done it
  if (guests === null) return
  if (guests.lines.length > 0) await addLines(carts, userId, guests, available)
  await carts.deleteOne({ _id: guestId, cartId: guests.cartId })
}

async function addLines(
  carts: Carts,
  userId: string,
  { cartId, lines }: { cartId: string; lines: Line[] },
  available: (skus: readonly string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<void> {
  for (;;) {
    const cart = await carts.findOne({ _id: userId }, { projection: { outbox: 0, attempts: 0 } })
    const merged = cart?.merged ?? []
    if (merged.includes(cartId)) return
    const own = cart?.lines ?? []
    const both = lines.flatMap(({ sku }) => (own.some((line) => line.sku === sku) ? [sku] : []))
    const changed = {
      lines: mergeLines(own, lines, await available(both)),
      merged: [...merged, cartId].slice(-remembered),
    }
    if ((await writeCart(carts, userId, cart, changed)) !== undefined) return
  }
}
