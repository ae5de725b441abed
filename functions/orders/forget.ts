import { and, eq, exists, inArray, like, or, sql, type SQL } from 'drizzle-orm'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { deletedCustomers, ended, idempotencyKeys, orders, timeline, type OrderRow } from './order.ts'

/*
 * What orders forget when their customer is deleted. An order that has ended is anonymised at once. One that is under
 * way still needs its address, so it is anonymised when it ends. Lines, amounts, ids and times stay, because the books
 * need them.
 */

/** Forgets a customer's orders that have ended, and remembers to forget the others when they end. */
export async function forgetOrdersOf(tx: Tx, customerId: string): Promise<void> {
  await forgetAnswers(tx, idempotencyKeys, customerId)
  await anonymize(tx, eq(orders.customerId, customerId))
}

/** Notes that a customer is deleted. */
export async function rememberDeleted(tx: Tx, id: string): Promise<void> {
  await tx.insert(deletedCustomers).values({ id }).onConflictDoNothing()
}

/** Anonymises a locked order that has just ended, if its customer is deleted. Returns the order as it is then. */
export async function forgetIfDeleted(tx: Tx, row: OrderRow): Promise<OrderRow> {
  const isDeleted = exists(
    tx
      .select({ id: deletedCustomers.id })
      .from(deletedCustomers)
      .where(eq(deletedCustomers.id, row.customerId)),
  )
  const [forgotten] = await anonymize(tx, eq(orders.id, row.id), isDeleted)
  return forgotten ?? row
}

/** Removes what people wrote from orders that have ended and have not been anonymised yet. Returns them. */
async function anonymize(tx: Tx, ...which: SQL[]): Promise<OrderRow[]> {
  const rows = await tx
    .update(orders)
    .set({
      deliveryAddress: null,
      note: null,
      reason: sql`case when ${exists(
        tx
          .select({ seq: timeline.seq })
          .from(timeline)
          .where(and(eq(timeline.orderId, orders.id), eq(timeline.type, 'order.cancelled'), byPerson)),
      )} then null else ${orders.reason} end`,
      version: sql`${orders.version} + 1`,
      updatedAt: sql`now()`,
    })
    .where(and(...which, inArray(orders.status, ended), sql`${orders.deliveryAddress} is not null`))
    .returning()
  if (rows.length === 0) return rows
  const ids = rows.map(({ id }) => id)
  await tx
    .update(timeline)
    .set({ detail: null, staffNote: sql`case when ${timeline.staffNote} is null then null else '' end` })
    .where(and(inArray(timeline.orderId, ids), ofPeople, byPerson))
  // the answers to members of staff, who have ordered for the customer or added notes
  await tx.delete(idempotencyKeys).where(inArray(orderOfAnswer, ids))
  return rows
}

/** The order that a kept answer is about. */
const orderOfAnswer = sql`substring(${idempotencyKeys.headers}->>'location' from '^/api/v1/orders/([0-9a-f-]{36})')`

/** The types of entries whose details people have given, such as the number with which a parcel is tracked. */
const ofPeople = or(like(timeline.type, 'order.%'), like(timeline.type, 'parcel.%'))

/** Whether a person caused an entry, and so may have written its detail. Entries of earlier versions do not say. */
const byPerson = sql`${timeline.actor} is distinct from 'system'`
