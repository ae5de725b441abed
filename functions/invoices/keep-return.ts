import { reaction } from '../../events/reaction.ts'
import { returns } from './invoice.ts'

/** Keeps what came back until it is refunded, and its credit note issued. */
export const keepReturn = reaction(
  'keep-return',
  async ({ data: { returnId, orderId, items } }, { once }) => {
    const lines = items.map(({ sku, quantity, net, taxRate, tax, gross }) => ({
      sku,
      quantity,
      net,
      taxRate,
      tax,
      gross,
    }))
    await once(async (tx) => {
      await tx.insert(returns).values({ id: returnId, orderId, lines }).onConflictDoNothing()
    })
  },
)
