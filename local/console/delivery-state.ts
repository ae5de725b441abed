import type postgres from 'postgres'
import { typeOf } from '../../events/cloud-event.ts'
import { listDeadLetters, type DeadLetter } from '../../events/dead-letters.ts'
import { traceparentOf } from '../../functions/shared/http/trace-context.ts'
import type { DeliveryState, Lag, Letter } from './wire.ts'

/** At most so many events of each kind are counted, so that a long backlog is not read every two seconds. */
const countsTo = 10_000
/** The most dead letters that are shown. */
const shown = 100

interface Amount {
  events: number
  seconds: number
}

/** Reads how event delivery is doing. @param sql connected with the role `events` */
export async function readDeliveryState(sql: postgres.Sql): Promise<DeliveryState> {
  const [waiting, scheduled, lag, failed, letters] = await Promise.all([
    sql<Amount[]>`
      select count(*)::int as events, coalesce(extract(epoch from now() - min(due)), 0)::float as seconds
      from (select due from events.outbox where published_at is null and due <= now()
        order by due limit ${countsTo}) as waiting`,
    sql<Amount[]>`
      select count(*)::int as events
      from (select from events.outbox where published_at is null and due > now() limit ${countsTo}) as later`,
    sql<(Amount & { reaction: string })[]>`
      select reaction, count(*)::int as events, extract(epoch from now() - min(published_at))::float as seconds
      from (select id, awaits, published_at from events.outbox where settled_at is null and published_at is not null
        order by published_at limit ${countsTo}) as published, unnest(awaits) as awaited (reaction)
      where not exists (select from events.inbox where event_id = id and inbox.reaction = awaited.reaction)
        and not exists (select from events.failures where event_id = id and failures.reaction = awaited.reaction)
      group by reaction order by events desc, reaction`,
    sql<{ retrying: number; parked: number }[]>`
      select count(next_at)::int as retrying, (count(*) - count(next_at))::int as parked
      from (select next_at from events.failures where dropped_at is null limit ${countsTo}) as failed`,
    listDeadLetters({ client: sql }, shown),
  ])
  const { events = 0, seconds = 0 } = waiting[0] ?? {}
  return {
    outbox: { events, oldestSeconds: whole(seconds) },
    scheduled: scheduled[0]?.events ?? 0,
    lag: lag.map(({ reaction, events, seconds }): Lag => ({
      reaction,
      events,
      oldestSeconds: whole(seconds),
    })),
    retrying: failed[0]?.retrying ?? 0,
    letters: letters.map(toLetter),
    lettersInAll: failed[0]?.parked ?? 0,
  }
}

/** What is shown of a dead letter. Its data stays in the database. */
function toLetter({ eventId, reaction, event, attempts, error, at }: DeadLetter): Letter {
  const { type, traceparent } = event as { type: string; traceparent?: string }
  const trace = traceparentOf(traceparent)?.split('-')[1]
  return {
    eventId,
    reaction,
    type: typeOf(type),
    attempts,
    error,
    at: at.getTime(),
    ...(trace !== undefined && { trace }),
  }
}

/** By the clocks of two machines, it may be negative. */
const whole = (seconds: number) => Math.max(0, Math.round(seconds))
