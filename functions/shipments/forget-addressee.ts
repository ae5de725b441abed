import { asc, eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { deletedCustomers, idempotencyKeys, shipments } from './shipment.ts'
import { forgetTracking } from './store.ts'

/** Forgets how a deleted customer's parcels can be tracked: at once if they have arrived, and otherwise once they do. */
export const forgetAddressee = reaction('forget-addressee', async ({ data }, { once }) => {
  const id = 'userId' in data ? data.userId : data.customerId
  await once(async (tx) => {
    await forgetAnswers(tx, idempotencyKeys, id)
    await tx.insert(deletedCustomers).values({ id }).onConflictDoNothing()
    // waits for parcels that are arriving just now, and may not have seen that the customer is deleted
    await tx
      .select({ id: shipments.id })
      .from(shipments)
      .where(eq(shipments.customerId, id))
      .orderBy(asc(shipments.id))
      .for('update')
    await forgetTracking(tx, id)
  })
})
