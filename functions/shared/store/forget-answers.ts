import { eq } from 'drizzle-orm'
import type { ShopEvent } from '../../../events/event.ts'
import type { Once, Reaction } from '../../../events/reaction.ts'
import type { IdempotencyTable } from './idempotency-table.ts'
import type { Tx } from './postgres.ts'

/** Deletes the answers that are kept for a user's retries: they contain what the user has sent. */
export async function forgetAnswers(tx: Tx, table: IdempotencyTable, userId: string): Promise<void> {
  await tx.delete(table).where(eq(table.caller, userId))
}

/** Implements the reaction with which a domain that knows nothing else about people forgets a deleted user. */
export const forgetAnswersOnly = <const N extends string>(name: N, table: IdempotencyTable): Reaction<N> => ({
  name,
  handle: async ({ data }: ShopEvent<'user.deleted'>, { once }: { once: Once }) => {
    await once((tx) => forgetAnswers(tx, table, data.userId))
  },
})
