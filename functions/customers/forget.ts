import { eq } from 'drizzle-orm'
import type { Tx } from '../shared/store/postgres.ts'
import { addresses, claims, customers, nothing, pathOf, paymentMethods } from './customer.ts'
import { forgetAnswersAt } from './store.ts'

/** Forgets everything about a customer whose row is locked, but their id. */
export async function forgetCustomer(tx: Tx, id: string): Promise<void> {
  await tx.update(customers).set(nothing).where(eq(customers.id, id))
  await tx.delete(addresses).where(eq(addresses.customerId, id))
  await tx.delete(paymentMethods).where(eq(paymentMethods.customerId, id))
  await tx.delete(claims).where(eq(claims.customerId, id))
  await forgetAnswersAt(tx, pathOf(id))
}
