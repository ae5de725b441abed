import { asc, eq, sql } from 'drizzle-orm'
import type { Tx } from '../shared/store/postgres.ts'
import { forgetOrdersOf } from './forget.ts'
import { deletedCustomers, orders } from './order.ts'

/** Moves the orders of a customer to the account with which they have claimed their record. */
export async function moveOrders(tx: Tx, from: string, to: string): Promise<void> {
  // in the order in which other transactions lock them
  await tx
    .select({ id: orders.id })
    .from(orders)
    .where(eq(orders.customerId, from))
    .orderBy(asc(orders.id))
    .for('update')
  await tx
    .update(orders)
    .set({ customerId: to, version: sql`${orders.version} + 1`, updatedAt: sql`now()` })
    .where(eq(orders.customerId, from))
  const [deleted] = await tx.select().from(deletedCustomers).where(eq(deletedCustomers.id, to))
  if (deleted !== undefined) await forgetOrdersOf(tx, to)
}
