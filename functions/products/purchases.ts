import type { Collection } from 'mongodb'

/** Who has bought what: a projection of orders. A customer who has claimed a record has bought what it tells, too. */

export interface Purchase {
  /** The order's id. */
  _id: string
  /** Events may arrive out of order, so an order may be completed before it is known who has placed it. */
  customerId?: string
  skus?: string[]
  /** Whether `skus` leaves out what was missing, which may be heard first. */
  isReduced?: boolean
  isCompleted?: boolean
}

/** A customer's record that belongs to an account now. */
export interface Claim {
  /** The id of the customer. */
  _id: string
  userId: string
}

export interface Bought {
  purchases: Collection<Purchase>
  claims: Collection<Claim>
}

/** Returns whether a user has a completed order with this SKU. */
export async function hasBought({ purchases, claims }: Bought, userId: string, sku: string) {
  const customerId = { $in: await customersOf(claims, userId) }
  const found = await purchases.findOne(
    { customerId, skus: sku, isCompleted: true },
    { projection: { _id: 1 } },
  )
  return found !== null
}

/** Forgets what a user or customer has bought. */
export async function forgetPurchases({ purchases, claims }: Bought, id: string): Promise<void> {
  const customers = await customersOf(claims, id)
  await purchases.deleteMany({ customerId: { $in: customers } })
  await claims.deleteOne({ _id: id })
  await claims.deleteMany({ userId: id })
}

/** Returns the ids under which a user has ordered. */
const customersOf = async (claims: Bought['claims'], userId: string): Promise<string[]> => [
  userId,
  ...(await claims.find({ userId }).toArray()).map(({ _id }) => _id),
]
