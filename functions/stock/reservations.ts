import { isAmong, type Tx } from '../shared/store/postgres.ts'
import { reservations, type Line } from './stock.ts'

/** Adds reservations. Returns the ids of the orders that had none. */
export async function addReservations(
  tx: Tx,
  wanted: readonly { orderId: string; lines: readonly Line[] }[],
): Promise<Set<string>> {
  const added = await tx.client<{ id: string }[]>`
    insert into stock.reservations (order_id, state, lines)
    select "orderId", 'reserved', lines
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as new ("orderId" uuid, lines jsonb)
    on conflict do nothing
    returning order_id as id`
  return new Set(added.map(({ id }) => id))
}

/** Marks new reservations as released, because nothing could be reserved. */
export async function releaseEmpty(tx: Tx, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length > 0)
    await tx
      .update(reservations)
      .set({ state: 'released', lines: [] })
      .where(isAmong(reservations.orderId, orderIds))
      .prepare('release_empty')
      .execute()
}

/** Changes what reservations hold. */
export async function setLines(
  tx: Tx,
  held: readonly { orderId: string; lines: readonly Line[] }[],
): Promise<void> {
  if (held.length > 0)
    await tx.client`
      update stock.reservations as held set lines = new.lines
      from jsonb_to_recordset(${JSON.stringify(held)}::jsonb) as new ("orderId" uuid, lines jsonb)
      where held.order_id = new."orderId"`
}

/**
 * Releases the reservations of orders. If an order is cancelled before its stock is reserved, its row prevents a later
 * reservation.
 * @returns what was reserved, and what an order has waited for
 */
export async function releaseReservations(
  tx: Tx,
  orderIds: readonly string[],
): Promise<{ orderId: string; lines: Line[]; backordered: Line[] | null }[]> {
  const released = await tx.client<{ orderId: string; lines: Line[]; backordered: Line[] | null }[]>`
    insert into stock.reservations as held (order_id, state, lines)
    select id::uuid, 'released', '[]'
    from jsonb_array_elements_text(${JSON.stringify(orderIds)}::jsonb) as id
    on conflict (order_id) do update set state = 'released', at = now() where held.state = 'reserved'
    returning order_id as "orderId", lines, backordered`
  return released.filter(({ lines }) => lines.length > 0)
}
