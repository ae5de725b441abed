import { and, eq, lte, sql } from 'drizzle-orm'
import { batchReaction } from '../../events/reaction.ts'
import { isAmong } from '../shared/store/postgres.ts'
import { shipments } from './shipment.ts'
import { free } from './store.ts'

export const expireTaking = batchReaction('expire-taking', {
  write: async (tx, events) => {
    await tx
      .update(shipments)
      .set({ status: 'waiting', ...free, version: sql`${shipments.version} + 1`, updatedAt: sql`now()` })
      .where(
        and(
          isAmong(
            shipments.id,
            events.map(({ data }) => data.orderId),
          ),
          eq(shipments.status, 'taken'),
          // it may have been taken again since
          lte(shipments.takenUntil, sql`now()`),
        ),
      )
  },
})
