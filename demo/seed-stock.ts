import { and, eq, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { transaction } from '../functions/shared/store/transaction.ts'
import type { Db } from '../functions/shared/store/postgres.ts'
import { adjustments, items } from '../functions/stock/stock.ts'

/** Fills stock accounts that have never held anything. It may run any number of times. */
export async function seedStock(
  db: Db,
  stock: readonly { sku: string; sellerId: string; quantity: number }[],
): Promise<void> {
  for (const { sku, sellerId, quantity } of stock)
    await transaction(db, async (tx) => {
      const filled = await tx
        .insert(items)
        .values({ sku, sellerId, available: quantity, received: quantity })
        .onConflictDoUpdate({
          target: items.sku,
          set: {
            available: quantity,
            received: quantity,
            version: sql`${items.version} + 1`,
            updatedAt: sql`now()`,
          },
          // only if the account has not changed since it was opened
          setWhere: and(eq(items.version, 1), eq(items.received, 0))!,
        })
        .returning({ sku: items.sku })
      if (filled.length > 0)
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
