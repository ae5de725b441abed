import { reaction } from '../../events/reaction.ts'
import { claimedCustomers } from './invoice.ts'

/** Keeps who has claimed the record of a customer. Invoices themselves are never changed. */
export const keepInvoiceClaim = reaction(
  'keep-invoice-claim',
  async ({ data: { customerId, userId } }, { once }) => {
    await once(async (tx) => {
      await tx.insert(claimedCustomers).values({ id: customerId, userId }).onConflictDoNothing()
    })
  },
)
