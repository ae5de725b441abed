import { and, asc, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { nextOf, type ParcelEvent } from './parcel.ts'
import { problems } from './problems.ts'
import {
  deletedCustomers,
  isKnown,
  parcels,
  shipments,
  type KnownShipment,
  type ParcelRow,
  type ShipmentRow,
} from './shipment.ts'

const noShipment = () => new Problem('not-found', { detail: 'There is no shipment with this id.' })
const noParcel = () => new Problem('not-found', { detail: 'There is no such parcel.' })

/**
 * Reads a shipment that the user may see: customers see those of their own orders, staff see all.
 * @throws Problem 404 if there is no such shipment, or the user may not see it
 */
export async function readShipment(db: Db, id: string, user: User): Promise<KnownShipment> {
  const [row] = await db.select().from(shipments).where(eq(shipments.id, id))
  if (!isKnown(row) || (row.customerId !== user.id && !isStaff(user))) throw noShipment()
  return row
}

/** Reads a shipment and locks its row until the transaction ends. @throws Problem 404 if there is no such shipment */
export async function lockShipment(tx: Tx, id: string): Promise<KnownShipment> {
  const [row] = await tx.select().from(shipments).where(eq(shipments.id, id)).for('update')
  if (!isKnown(row)) throw noShipment()
  return row
}

/** Reads the parcels of shipments, in the sequence in which they were packed. Unpacked ones are not among them. */
export const parcelsOf = (db: Db | Tx, shipmentIds: readonly string[]): Promise<ParcelRow[]> =>
  db
    .select()
    .from(parcels)
    .where(and(inArray(parcels.shipmentId, [...shipmentIds]), sql`${parcels.status} <> 'cancelled'`))
    .orderBy(asc(parcels.id))

interface Which {
  id: string
  parcelId: string
}

/** @throws Problem 404 if the shipment has no such parcel */
export async function findParcel(db: Db | Tx, { id, parcelId }: Which): Promise<ParcelRow> {
  const [row] = await db
    .select()
    .from(parcels)
    .where(and(eq(parcels.shipmentId, id), eq(parcels.id, parcelId)))
  if (row === undefined) throw noParcel()
  return row
}

/**
 * Reads a parcel and its shipment, which is locked until the transaction ends.
 * @throws Problem 404 if the shipment has no such parcel
 */
export async function lockParcel(tx: Tx, which: Which): Promise<{ row: KnownShipment; parcel: ParcelRow }> {
  const [row] = await tx.select().from(shipments).where(eq(shipments.id, which.id)).for('update')
  const parcel = await findParcel(tx, which)
  if (!isKnown(row)) throw noParcel()
  return { row, parcel }
}

/** Changes a locked shipment. Returns it as it is then. */
export async function saveShipment<R extends ShipmentRow>(
  tx: Tx,
  row: R,
  change: Partial<ShipmentRow>,
): Promise<R> {
  const changed = { ...change, version: row.version + 1, updatedAt: new Date() }
  await tx.update(shipments).set(changed).where(eq(shipments.id, row.id))
  return { ...row, ...changed }
}

/** Nobody packs it. */
export const free = { workerId: null, takenUntil: null } as const

/**
 * Applies an event to a parcel of a locked shipment. Returns the parcel as it is then.
 * @throws Problem 409 if its status does not allow the event
 */
export async function advanceParcel(
  tx: Tx,
  row: ParcelRow,
  event: ParcelEvent,
  change: Partial<ParcelRow>,
): Promise<ParcelRow> {
  const status = nextOf(row.status, event)
  if (status === undefined)
    throw new Problem(problems['wrong-parcel-status'], {
      detail: `The parcel is ${row.status}: ${wants[event]}.`,
    })
  const [changed] = await tx
    .update(parcels)
    .set({ ...change, status })
    .where(eq(parcels.id, row.id))
    .returning()
  return changed!
}

const wants: Readonly<Record<ParcelEvent, string>> = {
  ship: 'only what is packed can be shipped',
  deliver: 'only what is on its way can be delivered',
  fail: 'only what is on its way can fail',
  unpack: 'only what is not shipped can be unpacked',
  cancel: 'it cannot be recalled',
}

/** The event data that every event of a parcel has. */
export const ofParcel = (shipment: KnownShipment, parcel: Pick<ParcelRow, 'id' | 'number'>) => ({
  orderId: shipment.id,
  customerId: shipment.customerId,
  parcelId: parcel.id,
  number: parcel.number ?? 0,
})

/** Whether a customer is deleted. */
export async function isDeleted(tx: Tx, customerId: string): Promise<boolean> {
  const [row] = await tx.select().from(deletedCustomers).where(eq(deletedCustomers.id, customerId))
  return row !== undefined
}

/**
 * Forgets where parcels of a customer can be tracked that are no longer on their way. What was in them stays, because the
 * books need it.
 */
export async function forgetTracking(tx: Tx, customerId: string): Promise<void> {
  const theirs = tx.select({ id: shipments.id }).from(shipments).where(eq(shipments.customerId, customerId))
  await tx
    .update(parcels)
    .set({ trackingNumber: null })
    .where(
      and(inArray(parcels.shipmentId, theirs), isNotNull(parcels.trackingNumber), isNotNull(parcels.endedAt)),
    )
}
