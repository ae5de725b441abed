import { gt, lt } from 'drizzle-orm'
import type { ShopEvent } from '../../../events/event.ts'
import type { Once, Reaction } from '../../../events/reaction.ts'
import { endedIn, keptEndedMs, type IsSessionEnded } from '../auth/ended-sessions.ts'
import type { EndedSessionsTable } from './ended-sessions-table.ts'
import { before, type Db } from './postgres.ts'

/** Returns a check against a domain's projection in PostgreSQL. */
export const endedInPostgres = (db: Db, table: EndedSessionsTable): IsSessionEnded =>
  endedIn(async () => {
    const rows = await db
      .select({ id: table.id })
      .from(table)
      .where(gt(table.at, before(keptEndedMs)))
    return rows.map(({ id }) => id)
  })

/** Implements the reaction that keeps a domain's projection in PostgreSQL. */
export const keepEndedSessions = <const N extends string>(
  name: N,
  table: EndedSessionsTable,
): Reaction<N> => ({
  name,
  handle: async ({ data }: ShopEvent<'session.ended'>, { once }: { once: Once }) => {
    await once(async (tx) => {
      await tx.delete(table).where(lt(table.at, before(keptEndedMs)))
      await tx
        .insert(table)
        .values(data.sessionIds.map((id) => ({ id })))
        .onConflictDoNothing()
    })
  },
})
