import { asc } from 'drizzle-orm'
import { isAmong, type Tx } from '../shared/store/postgres.ts'
import { addMovements } from './movements.ts'
import {
  backorderLines,
  backorders,
  fill,
  mergeLines,
  type ItemRow,
  type Line,
  type Waiting,
} from './stock.ts'

/*
 * Orders that wait for what is missing. Whoever makes a SKU available gives it to them in the same transaction, before
 * any new order sees it. Transactions lock reservations first, then accounts in the order of their SKUs, then backorders
 * in the order of their ids.
 */

/** Lets an order wait, whose accounts are locked. */
export async function addBackorder(
  tx: Tx,
  order: Pick<typeof backorders.$inferInsert, 'orderId' | 'customerId' | 'total'>,
  missing: readonly Line[],
): Promise<void> {
  const { orderId } = order
  await Promise.all([
    tx.insert(backorders).values({ ...order, unfilled: missing.length }),
    tx.insert(backorderLines).values(missing.map((line) => ({ ...line, orderId }))),
  ])
}

/**
 * Gives what has become available of locked accounts to the orders that wait for it, in the order in which they were
 * placed. An order that has all then is reserved.
 * @returns the accounts as they are then; the caller writes them
 */
export async function fillBackorders(tx: Tx, accounts: readonly ItemRow[]): Promise<ItemRow[]> {
  const waiting = await waitingFor(tx, accounts)
  if (waiting.length === 0) return [...accounts]
  const { accounts: changed, filled } = fill(accounts, waiting)
  const full = filled.filter(({ orderId, sku, quantity }) =>
    waiting.some((one) => one.orderId === orderId && one.sku === sku && one.quantity === quantity),
  )
  await Promise.all([
    tx.client`
      update stock.backorder_lines as line set filled = line.filled + new.quantity
      from jsonb_to_recordset(${JSON.stringify(filled)}::jsonb) as new ("orderId" uuid, sku text, quantity integer)
      where line.order_id = new."orderId" and line.sku = new.sku`,
    addMovements(
      tx,
      'reserved',
      filled.map(({ orderId, ...line }) => ({ orderId, lines: [line] })),
    ),
  ])
  await announceFull(
    tx,
    full.map(({ orderId }) => orderId),
  )
  return accounts.map((account) => changed.find(({ sku }) => sku === account.sku) ?? account)
}

/** Reads what orders wait for, of each account no more than is available. */
async function waitingFor(tx: Tx, accounts: readonly ItemRow[]): Promise<Waiting[]> {
  const free = accounts.flatMap(({ sku, available }) => (available > 0 ? [{ sku, available }] : []))
  if (free.length === 0) return []
  return tx.client<Waiting[]>`
    select line.order_id as "orderId", line.sku, line.quantity - line.filled as quantity
    from jsonb_to_recordset(${JSON.stringify(free)}::jsonb) as account (sku text, available bigint)
    cross join lateral (
      select * from stock.backorder_lines
      where sku = account.sku and filled < quantity
      order by sku, order_id
      limit account.available
      for update
    ) as line
    order by line.sku, line.order_id`
}

/**
 * Notes which lines of orders are full now, and tells whose last it was.
 * @param orderIds an order for each of its lines
 */
async function announceFull(tx: Tx, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return
  const rows = await tx
    .select()
    .from(backorders)
    .where(isAmong(backorders.orderId, orderIds))
    .orderBy(asc(backorders.orderId))
    .for('update')
  const now = rows.map(({ unfilled, ...row }) => ({
    ...row,
    unfilled: unfilled - orderIds.filter((id) => id === row.orderId).length,
  }))
  await Promise.all([
    tx.client`
      update stock.backorders as row set unfilled = new.unfilled
      from jsonb_to_recordset(${JSON.stringify(now)}::jsonb) as new ("orderId" uuid, unfilled integer)
      where row.order_id = new."orderId"`,
    ...now
      .filter(({ unfilled }) => unfilled === 0)
      .map(({ orderId, customerId, total }) =>
        // whoever brings the stock has not done it
        tx.emit('stock.reserved', orderId, { orderId, customerId, total }, { actor: 'system' }),
      ),
  ])
}

/**
 * Ends the backorders of orders, whose accounts are locked.
 * @returns what they got
 */
export async function endBackorders(tx: Tx, orderIds: readonly string[]): Promise<Map<string, Line[]>> {
  if (orderIds.length === 0) return new Map()
  const lines = await tx.delete(backorderLines).where(isAmong(backorderLines.orderId, orderIds)).returning()
  await tx.delete(backorders).where(isAmong(backorders.orderId, orderIds))
  const filled = lines.flatMap(({ orderId, sku, filled: quantity }) =>
    quantity === 0 ? [] : [{ orderId, sku, quantity }],
  )
  return new Map(
    [...Map.groupBy(filled, ({ orderId }) => orderId)].map(([orderId, own]) => [orderId, mergeLines(own)]),
  )
}
