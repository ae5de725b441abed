import { and, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Db } from '../functions/shared/store/postgres.ts'
import { telemetry } from '../functions/shared/telemetry/telemetry.ts'
import { consumers } from './consumers.table.ts'
import type { Broker } from './jetstream.ts'
import { failures, outbox } from './tables.ts'

/** The most events that are counted: the count of more would take long, and says no more. */
const mostCounted = 100_000

/** Has the relay tell how many events wait in the outbox, and for how long. */
export function observeOutbox(db: Db): void {
  const due = db
    .select({ due: outbox.due })
    .from(outbox)
    .where(sql`${outbox.publishedAt} is null and ${outbox.due} <= now()`)
    .orderBy(outbox.due)
    .limit(mostCounted)
    .as('waiting')
  const read = async () => {
    const [row] = await db
      .select({
        count: sql<number>`count(*)::int`,
        lag: sql<number>`coalesce(extract(epoch from now() - min(${due.due})), 0)::float8`,
      })
      .from(due)
    return row!
  }
  telemetry()?.observe('zeroshop.outbox.unpublished', async () => [{ value: (await read()).count }])
  telemetry()?.observe('zeroshop.outbox.lag', async () => [{ value: (await read()).lag }])
}

/** Has the dispatcher tell how many events each reaction still has to handle, and how many are dead letters. */
export function observeReactions(db: Db, broker: Broker): void {
  telemetry()?.observe('zeroshop.consumer.lag', async () =>
    Object.entries(await broker.lags()).map(([reaction, value]) => ({ value, attributes: { reaction } })),
  )
  telemetry()?.observe('zeroshop.dead_letters', async () => {
    const rows = await db
      .select({ reaction: failures.reaction, count: sql<number>`count(*)::int` })
      .from(failures)
      .where(and(isNotNull(failures.parkedAt), isNull(failures.droppedAt)))
      .groupBy(failures.reaction)
    const counts = new Map(rows.map(({ reaction, count }) => [reaction, count]))
    // also those without any, so that an alert ends
    return Object.keys(consumers).map((reaction) => ({
      value: counts.get(reaction) ?? 0,
      attributes: { reaction },
    }))
  })
}
