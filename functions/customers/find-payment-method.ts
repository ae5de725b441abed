import { and, eq } from 'drizzle-orm'
import type { User } from '../shared/auth/access-token.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { customers, maySee, paymentMethods, type PaymentMethodRow } from './customer.ts'
import { noSuchPaymentMethod } from './payment-method.ts'

interface Which {
  id: string
  methodId: string
}

/** @throws Problem 404 if the customer has no such payment method, or the caller may not see it */
export async function findPaymentMethod(db: Db | Tx, which: Which, caller: User): Promise<PaymentMethodRow> {
  if (!maySee(caller, which.id)) throw noSuchPaymentMethod()
  const [row] = await db.select().from(paymentMethods).where(isPaymentMethod(which))
  if (row === undefined) throw noSuchPaymentMethod()
  return row
}

/** Locks a payment method and whatever else its customer has, until the transaction ends. */
export async function lockPaymentMethod(tx: Tx, which: Which, caller: User): Promise<PaymentMethodRow> {
  await tx.select({ id: customers.id }).from(customers).where(eq(customers.id, which.id)).for('update')
  return findPaymentMethod(tx, which, caller)
}

export const isPaymentMethod = ({ id, methodId }: Which) =>
  and(eq(paymentMethods.customerId, id), eq(paymentMethods.id, methodId))
