import { asc, sql } from 'drizzle-orm'
import { isAmong, type Tx } from '../shared/store/postgres.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { nextOf } from './parcel.ts'
import {
  claimedCustomers,
  next,
  parcels,
  shipments,
  type OrderedLine,
  type ShipmentRow,
  type Shipping,
} from './shipment.ts'
import { forgetTracking, free, isDeleted, parcelsOf } from './store.ts'

/** What was heard of an order. */
export type Heard = { orderId: string } & (
  | {
      event: 'place'
      order: { customerId: string; lines: OrderedLine[]; shipping: Shipping; currency: string }
    }
  /** Something is left out of it. What is in it now is told once more, and holds whatever was heard before. */
  | {
      event: 'reduce'
      order: { customerId: string; lines: OrderedLine[]; shipping: Shipping; currency: string }
    }
  /** `costs`: if something was left out of it. */
  | { event: 'confirm'; costs?: number }
  | { event: 'close' }
  /** `kept`: the ids of parcels that the customer keeps. */
  | { event: 'cancel'; kept: readonly string[] }
)

/** The statuses of a shipment of which nothing was heard before. */
const first = {
  place: 'placed',
  reduce: 'placed',
  confirm: 'confirmed',
  close: 'shipped',
  cancel: 'cancelled',
} as const

/**
 * Applies to shipments what was heard of their orders, each of which is named once. It may be heard in any order, so
 * what is heard first makes the row.
 */
export async function hear(tx: Tx, heard: readonly Heard[]): Promise<void> {
  if (heard.length === 0) return
  const ids = heard.map(({ orderId }) => orderId)
  const accounts = await accountsOf(tx, heard)
  const orderOf = (one: Heard) => ('order' in one ? withAccount(one.order, accounts) : {})
  const added = await tx
    .insert(shipments)
    .values(
      heard
        .toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1))
        .map((one) => ({ id: one.orderId, status: first[one.event], lines: [], ...orderOf(one) })),
    )
    .onConflictDoNothing()
    .returning({ id: shipments.id })
  const isNew = new Set(added.map(({ id }) => id))
  for (const one of heard) if (isNew.has(one.orderId)) checkReduced(one, undefined)
  const known = heard.filter(({ orderId }) => !isNew.has(orderId))
  if (known.length === 0) return
  const rows = await tx
    .select()
    .from(shipments)
    .where(isAmong(shipments.id, ids))
    .orderBy(asc(shipments.id))
    .for('update')
  const rowOf = new Map(rows.map((row) => [row.id, row]))
  const changed = known.flatMap((one) => {
    const row = rowOf.get(one.orderId)!
    checkReduced(one, row)
    const isUnknown = row.customerId === null
    const status = next(row.status, one.event === 'reduce' ? 'place' : one.event)
    // what is in an order is kept even if it is cancelled or shipped already, for who asks
    const isKept = one.event === 'reduce' || (one.event === 'place' && isUnknown)
    if (status === undefined && !isKept) return []
    return [
      { ...row, ...orderOf(one), ...(status !== undefined && { status, ...free }), updatedAt: new Date() },
    ]
  })
  await write(tx, changed)
  for (const one of known) if (one.event === 'cancel' || one.event === 'close') await recall(tx, one)
}

/**
 * Checks that it was heard what was left out of an order that is confirmed, so that nobody packs what it was before.
 * @throws Unavailable if not; it is confirmed here once that is heard
 */
function checkReduced(one: Heard, row: ShipmentRow | undefined) {
  if (one.event !== 'confirm' || one.costs === undefined) return
  const parts = row === undefined ? [] : [...row.lines, ...(row.shipping === null ? [] : [row.shipping])]
  const costs = parts.reduce((sum, { gross }) => sum + gross, 0)
  if (costs !== one.costs)
    throw new Unavailable(`it was not heard yet what was left out of order ${one.orderId}`)
}

/** The accounts of those customers among them who have claimed their records. */
async function accountsOf(tx: Tx, heard: readonly Heard[]) {
  const customers = heard.flatMap((one) => ('order' in one ? [one.order.customerId] : []))
  if (customers.length === 0) return new Map<string, string>()
  const claimed = await tx.select().from(claimedCustomers).where(isAmong(claimedCustomers.id, customers))
  return new Map(claimed.map(({ id, userId }) => [id, userId]))
}

const withAccount = <O extends { customerId: string }>(
  order: O,
  accounts: ReadonlyMap<string, string>,
): O => ({
  ...order,
  customerId: accounts.get(order.customerId) ?? order.customerId,
})

/** Writes locked shipments, in one statement. */
async function write(tx: Tx, rows: readonly ShipmentRow[]) {
  if (rows.length > 0)
    await tx.client`
      update shipments.shipments as row
      set status = new.status, customer_id = new."customerId", lines = new.lines, shipping = new.shipping,
        currency = new.currency, worker_id = new."workerId", taken_until = new."takenUntil",
        version = row.version + 1, updated_at = new."updatedAt"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (
        id uuid, status text, "customerId" uuid, lines jsonb, shipping jsonb, currency text, "workerId" uuid,
        "takenUntil" timestamptz, "updatedAt" timestamptz)
      where row.id = new.id`
}

/**
 * Takes back the parcels of an order that is cancelled or was shipped as a whole. Those that are not shipped are unpacked.
 * Those that are on their way are recalled if their order is cancelled and its customer does not keep them.
 */
async function recall(tx: Tx, heard: Heard & { event: 'cancel' | 'close' }) {
  const kept = new Set(heard.event === 'cancel' ? heard.kept : [])
  for (const { id, status } of await parcelsOf(tx, [heard.orderId])) {
    const to = nextOf(status, 'cancel')
    const stays = to === 'recalled' && (heard.event === 'close' || kept.has(id))
    if (to !== undefined && !stays)
      await tx
        .update(parcels)
        .set({ status: to, endedAt: sql`now()` })
        .where(sql`${parcels.id} = ${id}`)
  }
  const [row] = await tx
    .select({ customerId: shipments.customerId })
    .from(shipments)
    .where(sql`${shipments.id} = ${heard.orderId}`)
  if (row?.customerId != null && (await isDeleted(tx, row.customerId)))
    await forgetTracking(tx, row.customerId)
}
