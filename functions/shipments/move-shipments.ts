import { eq, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { claimedCustomers, shipments } from './shipment.ts'

/**
 * Moves the shipments of a customer to the account with which they have claimed their record. An order that is heard of
 * later belongs to the account at once (hear.ts).
 */
export const moveShipments = reaction(
  'move-shipments',
  async ({ data: { customerId, userId } }, { once }) => {
    await once(async (tx) => {
      // Waits for shipments that are being added, and lets none be added that does not see the claim. Claims are rare.
      await tx.execute(sql`lock table ${shipments} in share row exclusive mode`)
      await tx.insert(claimedCustomers).values({ id: customerId, userId }).onConflictDoNothing()
      await tx
        .update(shipments)
        .set({ customerId: userId, version: sql`${shipments.version} + 1`, updatedAt: sql`now()` })
        .where(eq(shipments.customerId, customerId))
    })
  },
)
