import { and, eq } from 'drizzle-orm'
import type { User } from '../shared/auth/access-token.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { noSuchAddress } from './address.ts'
import { addresses, customers, maySee, type AddressRow } from './customer.ts'

interface Which {
  id: string
  addressId: string
}

/** @throws Problem 404 if the customer has no such address, or the caller may not see it */
export async function findAddress(db: Db | Tx, which: Which, caller: User): Promise<AddressRow> {
  if (!maySee(caller, which.id)) throw noSuchAddress()
  const [row] = await db.select().from(addresses).where(isAddress(which))
  if (row === undefined) throw noSuchAddress()
  return row
}

/** Locks an address and whatever else its customer has, until the transaction ends. */
export async function lockAddress(tx: Tx, which: Which, caller: User): Promise<AddressRow> {
  await tx.select({ id: customers.id }).from(customers).where(eq(customers.id, which.id)).for('update')
  return findAddress(tx, which, caller)
}

export const isAddress = ({ id, addressId }: Which) =>
  and(eq(addresses.customerId, id), eq(addresses.id, addressId))
