import { eq } from 'drizzle-orm'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import type { CustomerReader } from '../shared/http/customer-reader.ts'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { moveOrders } from './move.ts'
import { claimedCustomers } from './order.ts'
import { problems } from './problems.ts'

interface Request {
  /** The customer of the request, if it names one. */
  customerId: string | undefined
  caller: User
  /** The `Authorization` header. */
  authorization: string
}

/**
 * Returns the customer whom an order is for: the caller, or whom staff order for. If that customer has claimed their
 * record, the order is for their account.
 * @throws Problem 403 if somebody else names a customer, 422 if there is no such customer
 */
export async function customerOf(
  { customerId, caller, authorization }: Request,
  { db, customers }: { db: Db; customers: CustomerReader },
): Promise<string> {
  if (customerId === undefined) return caller.id
  if (!isStaff(caller))
    throw new Problem('wrong-role', {
      detail: 'Only staff order for a customer: leave `customerId` out to order for yourself.',
    })
  const account = await accountOf(db, customerId)
  if (account !== undefined) return account
  if (await customers(customerId, authorization)) return customerId
  const detail = 'There is no customer with this id.'
  throw new Problem(problems['unknown-customer'], {
    detail,
    errors: [{ pointer: '/body/customerId', detail }],
  })
}

/**
 * Moves an order that was just placed for a customer, if they have claimed their record since it was looked up: the
 * reaction move-orders did not see the order then.
 */
export async function followClaim(db: Db, customerId: string): Promise<void> {
  const account = await accountOf(db, customerId)
  if (account !== undefined) await transaction(db, (tx) => moveOrders(tx, customerId, account))
}

/** Returns the user who has claimed what staff kept under an id, if one has. */
async function accountOf(db: Db, customerId: string): Promise<string | undefined> {
  const [claimed] = await db.select().from(claimedCustomers).where(eq(claimedCustomers.id, customerId))
  return claimed?.userId
}
