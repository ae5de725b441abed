import { and, eq, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { transaction } from '../functions/shared/store/transaction.ts'
import type { Db } from '../functions/shared/store/postgres.ts'
import { withCause } from '../functions/shared/store/cause.ts'
import { crossing, defaultThreshold } from '../functions/stock/availability.ts'
import { events } from '../functions/stock/events.ts'
import { adjustments, items } from '../functions/stock/stock.ts'

/** Fills stock accounts that have never held anything. It may run any number of times. */
export async function seedStock(
  given: Db,
  stock: readonly { sku: string; sellerId: string; quantity: number }[],
): Promise<void> {
  const db = withCause(given, { domain: 'stock', emits: events })
  for (const { sku, sellerId, quantity } of stock)
    await transaction(db, async (tx) => {
      const { availability, isChanged } = crossing('unavailable', quantity, defaultThreshold)
      const [filled] = await tx
        .insert(items)
        .values({ sku, sellerId, availability, available: quantity, received: quantity })
        .onConflictDoUpdate({
          target: items.sku,
          set: {
            availability,
            available: quantity,
            received: quantity,
            version: sql`${items.version} + 1`,
            updatedAt: sql`now()`,
          },
          // only if the account has not changed since it was opened
          setWhere: and(eq(items.version, 1), eq(items.received, 0))!,
        })
        .returning({ version: items.version })
      if (filled === undefined) return
      const { version } = filled
      if (isChanged) await tx.emit('stock.availability-changed', sku, { sku, availability, version })
      await tx.insert(adjustments).values({
        id: uuidv7(),
        sku,
        quantity,
        reason: 'received',
        note: 'The stock to begin with',
        userId: sellerId,
      })
    })
}
