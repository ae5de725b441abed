import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { Problem } from '../shared/http/problems.ts'
import { couponProblems } from '../shared/http/coupon-redeemer.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import { isAmong, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import {
  applyCoupons,
  coupons,
  products,
  redemptions,
  usedUp,
  type CouponBasket,
  type CouponQuote,
  type CouponRow,
  type Refusal,
} from './coupon.ts'
import { counted, counts, next, type RedemptionEvent } from './redemption.ts'

const noCoupon = () => new Problem('not-found', { detail: 'There is no coupon with this id.' })

/** @throws Problem 404 if there is no such coupon */
export async function readCoupon(db: Db, id: string): Promise<CouponRow> {
  const [row] = await db.select().from(coupons).where(eq(coupons.id, id))
  if (row === undefined) throw noCoupon()
  return row
}

/** Reads a coupon and locks its row until the transaction ends. @throws Problem 404 if there is no such coupon */
export async function lockCoupon(tx: Tx, id: string): Promise<CouponRow> {
  const [row] = await tx.select().from(coupons).where(eq(coupons.id, id)).for('update')
  if (row === undefined) throw noCoupon()
  return row
}

const byCode = prepared((db) =>
  db
    .select()
    .from(coupons)
    .where(sql`${coupons.code} = any(${sql.placeholder('codes')}::text[])`)
    .prepare('coupons_by_code'),
)

/** Reads coupons by their codes, in the order of the codes. @throws Problem 422 if there is none with one of them */
export async function readCoupons(db: Db, codes: readonly string[]): Promise<CouponRow[]> {
  return inOrder(await byCode(db).execute({ codes: `{${codes.map((code) => `"${code}"`).join()}}` }), codes)
}

/** Does the same as `readCoupons`, and locks their rows, in a fixed order, so that transactions do not deadlock. */
async function lockCoupons(tx: Tx, codes: readonly string[]): Promise<CouponRow[]> {
  const rows = await tx
    .select()
    .from(coupons)
    .where(isAmong(coupons.code, codes))
    .orderBy(asc(coupons.id))
    .for('update')
    .prepare('lock_coupons')
    .execute()
  return inOrder(rows, codes)
}

function inOrder(rows: readonly CouponRow[], codes: readonly string[]): CouponRow[] {
  return codes.map((code, index) => {
    const row = rows.find((one) => one.code === code)
    if (row === undefined)
      throw refuse({ refused: 'unknown-coupon', index, detail: `There is no coupon ${code}.` })
    return row
  })
}

const refuse = ({ refused, index, detail }: Refusal) =>
  new Problem(couponProblems[refused], {
    detail,
    errors: [{ pointer: `/body/couponCodes/${index}`, detail }],
  })

/**
 * Returns the categories of SKUs, as far as they have one. A product that no event has told of yet is read from the
 * products domain.
 */
export async function categoriesOf(
  db: Db,
  readProduct: ProductReader,
  skus: readonly string[],
): Promise<Map<string, string>> {
  const each = [...new Set(skus)]
  if (each.length === 0) return new Map()
  const known = await db.select().from(products).where(isAmong(products.sku, each))
  const found = new Map(known.flatMap(({ sku, category }) => (category === null ? [] : [[sku, category]])))
  for (const sku of each.filter((sku) => !found.has(sku))) {
    const { category, version } = (await readProduct(sku)) ?? {}
    if (category === undefined || version === undefined) continue
    const row = { category, version }
    await db
      .insert(products)
      .values({ sku, ...row })
      .onConflictDoUpdate({
        target: products.sku,
        set: row,
        setWhere: sql`${products.version} <= ${version}`,
      })
    found.set(sku, category)
  }
  return found
}

/** Returns how many orders of a user have each of the coupons, by the coupon's code. */
async function usesOf(db: Db | Tx, userId: string, codes: readonly string[]): Promise<Map<string, number>> {
  const found = await db
    .select({ code: coupons.code, uses: sql<number>`count(*)::integer` })
    .from(redemptions)
    .innerJoin(coupons, eq(coupons.id, redemptions.couponId))
    .where(
      and(eq(redemptions.userId, userId), isAmong(coupons.code, codes), inArray(redemptions.state, counted)),
    )
    .groupBy(coupons.code)
    .prepare('uses_of_coupons')
    .execute()
  return new Map(found.map(({ code, uses }) => [code, uses]))
}

/** Returns what coupons give. @throws Problem if one is not valid, or not for this order */
export function quoteOf(rows: readonly CouponRow[], basket: Basket): CouponQuote {
  const applied = applyCoupons(rows, { ...basket, now: new Date() })
  if ('refused' in applied) throw refuse(applied)
  const discount = applied.flatMap(({ discounts }) => discounts).reduce((sum, one) => sum + one, 0)
  return { coupons: applied, discount }
}

type Basket = Pick<CouponBasket, 'lines' | 'currency'> & { categories: ReadonlyMap<string, string> }

/** Who redeems coupons, and with which Idempotency-Key the order is placed. */
interface Redeemer {
  userId: string
  request?: string
}

/** Finds the coupons that are held for a request, and the order that it places. */
const heldFor = (db: Db | Tx, { userId, request }: Required<Redeemer>) =>
  db
    .select({ orderId: redemptions.orderId, couponId: redemptions.couponId })
    .from(redemptions)
    .where(
      and(eq(redemptions.userId, userId), eq(redemptions.request, request), eq(redemptions.state, 'held')),
    )
    .orderBy(asc(redemptions.couponId))

/**
 * Checks the limits of coupons, unless they are held for this very request.
 * @throws Problem 409 if a coupon is used up, in all or by this user
 */
export async function checkUses(db: Db, rows: readonly CouponRow[], redeemer: Redeemer): Promise<void> {
  const { userId, request } = redeemer
  const codes = rows.map(({ code }) => code)
  const [held, uses] = await Promise.all([
    request === undefined ? [] : heldFor(db, { userId, request }),
    usesOf(db, userId, codes),
  ])
  refuseUsedUp(rows, uses, held)
}

function refuseUsedUp(
  rows: readonly CouponRow[],
  uses: ReadonlyMap<string, number>,
  held: readonly { couponId: string }[],
) {
  for (const [index, row] of rows.entries()) {
    if (held.some(({ couponId }) => couponId === row.id)) continue
    const detail = usedUp(row, uses.get(row.code) ?? 0)
    if (detail !== undefined) throw refuse({ refused: 'coupon-used-up', index, detail })
  }
}

/** Lets a user redeem one after the other, so that two requests with the same key do not both redeem. */
export const lockRedeemer = (tx: Tx, userId: string) =>
  tx.client`select pg_advisory_xact_lock(hashtextextended(${userId}, 0))`

/** What is to be redeemed, by whom, and for which order. */
export interface Wanted {
  userId: string
  /** The Idempotency-Key with which the order is placed. */
  request: string
  codes: readonly string[]
  /** The id of the order, unless the request has redeemed them before. */
  orderId: string
  heldMs: number
}

/**
 * Redeems coupons for an order that is about to be placed. A request that has done so before gets what it has got, for
 * the same order, so that a retry does not redeem them twice. They are held until the order is heard of, or for
 * `heldMs` from the last attempt on. Every transaction locks redemptions before coupons, so that none deadlock.
 * @param quote returns what they give @throws Problem if one is not valid
 * @throws Problem 409 if one is used up; 422 if the request redeemed others before
 */
export async function redeem(
  tx: Tx,
  { userId, request, codes, orderId, heldMs }: Wanted,
  quote: (rows: readonly CouponRow[]) => CouponQuote,
): Promise<CouponQuote & { orderId: string }> {
  // one round trip, in which each statement sees what was committed before it
  const [, before, rows, uses] = await Promise.all([
    lockRedeemer(tx, userId),
    heldFor(tx, { userId, request }).for('update').prepare('lock_held_for').execute(),
    lockCoupons(tx, codes),
    usesOf(tx, userId, codes),
  ])
  const given = quote(rows)
  const [first] = before
  const id = first?.orderId ?? orderId
  if (first === undefined) refuseUsedUp(rows, uses, [])
  else if (!isSame(before, rows))
    throw new Problem('idempotency-key-reused', {
      detail: 'Send a new key with a new request; the same key only with the same coupons.',
    })
  await Promise.all([
    tx.client`
      insert into coupons.redemptions (order_id, coupon_id, user_id, request, state, held_until)
      select ${id}, id::uuid, ${userId}, ${request}, 'held', now() + ${heldMs}::integer * interval '1 millisecond'
      from jsonb_array_elements_text(${JSON.stringify(rows.map((row) => row.id))}::jsonb) as id
      on conflict (order_id, coupon_id) do update set held_until = excluded.held_until`,
    count(tx, new Map(first === undefined ? rows.map((row) => [row.id, 1]) : [])),
    tx.emit('redemption.deadline-reached', id, { orderId: id }, { afterMs: heldMs }),
  ])
  return { ...given, orderId: id }
}

const isSame = (held: readonly { couponId: string }[], rows: readonly CouponRow[]) =>
  held.length === rows.length && rows.every(({ id }) => held.some(({ couponId }) => couponId === id))

/** Adds to how often coupons are redeemed, in a fixed order. */
async function count(tx: Tx, changes: ReadonlyMap<string, number>): Promise<void> {
  const rows = [...changes].map(([id, by]) => ({ id, by }))
  if (rows.length === 0) return
  await tx.client`
    with locked as (
      select id from coupons.coupons
      where id in (select id from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (id uuid))
      order by id for update
    )
    update coupons.coupons as row
    set redeemed = row.redeemed + new.by, version = row.version + 1, updated_at = now()
    from locked join jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (id uuid, by integer) using (id)
    where row.id = locked.id`
}

/** What happened to an order. */
export interface Happened {
  orderId: string
  event: RedemptionEvent
}

/**
 * Applies to redemptions what happened to their orders, each of which is named once. Orders without coupons are not
 * among the redemptions. What is held until later does not expire yet.
 */
export async function settle(tx: Tx, happened: readonly Happened[]): Promise<void> {
  const eventOf = new Map(happened.map(({ orderId, event }) => [orderId, event]))
  const rows = await tx
    .select({
      orderId: redemptions.orderId,
      couponId: redemptions.couponId,
      state: redemptions.state,
      isDue: sql<boolean>`${redemptions.heldUntil} <= now()`,
    })
    .from(redemptions)
    .where(isAmong(redemptions.orderId, [...eventOf.keys()]))
    .orderBy(asc(redemptions.orderId), asc(redemptions.couponId))
    .for('update')
    .prepare('redemptions_of_orders')
    .execute()
  const changes = new Map<string, number>()
  const moved = rows.flatMap(({ orderId, couponId, state, isDue }) => {
    const event = eventOf.get(orderId)!
    const to = event === 'expire' && !isDue ? undefined : next(state, event)
    if (to === undefined) return []
    const by = Number(counts(to)) - Number(counts(state))
    if (by !== 0) changes.set(couponId, (changes.get(couponId) ?? 0) + by)
    return [{ orderId, couponId, state: to }]
  })
  if (moved.length === 0) return
  await tx.client`
    update coupons.redemptions as row set state = new.state, request = null
    from jsonb_to_recordset(${JSON.stringify(moved)}::jsonb) as new ("orderId" uuid, "couponId" uuid, state text)
    where row.order_id = new."orderId" and row.coupon_id = new."couponId"`
  await count(tx, changes)
}
