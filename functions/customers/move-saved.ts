import { and, eq, inArray } from 'drizzle-orm'
import type { Tx } from '../shared/store/postgres.ts'
import { maxAddresses, maxPaymentMethods, paymentMethods } from './customer.ts'
import { merged } from './saved.ts'
import { savedOf, type SavedTable } from './store.ts'

/** Moves what one locked customer has saved to another one, up to the most that a customer may have. */
export async function moveSaved(tx: Tx, from: string, to: string): Promise<void> {
  const tokens = tx
    .select({ cardToken: paymentMethods.cardToken })
    .from(paymentMethods)
    .where(eq(paymentMethods.customerId, to))
  await tx
    .delete(paymentMethods)
    .where(and(eq(paymentMethods.customerId, from), inArray(paymentMethods.cardToken, tokens)))
  await move(tx, 'customers.addresses', { from, to, most: maxAddresses })
  await move(tx, 'customers.payment_methods', { from, to, most: maxPaymentMethods })
}

async function move(
  tx: Tx,
  table: SavedTable,
  { from, to, most }: { from: string; to: string; most: number },
): Promise<void> {
  const own = await savedOf(tx, table, to)
  const after = merged(own, await savedOf(tx, table, from), most)
  for (const { id, isDefault } of after.slice(own.length))
    await tx.client`
      update ${tx.client(table)} set customer_id = ${to}, is_default = ${isDefault}, version = version + 1,
        updated_at = now()
      where id = ${id}`
  // for which there is no room
  await tx.client`delete from ${tx.client(table)} where customer_id = ${from}`
}
