import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { outboxChannel } from '../functions/shared/store/postgres.ts'
import type { System } from '../local/system.ts'
import { median, memoryOf } from './harness.ts'
import { look, placer } from './orders.ts'
import type { Result } from './result.ts'

/** The number of events that wait. */
const events = 100_000
/** How many orders are placed without a backlog. */
const orders = 60
const atOnce = 2
/** How long all of it may take, in s. */
const patience = 180

/**
 * Lets events wait in the outbox, as after an outage of the broker, and measures how many of them the relay publishes
 * in a second, whether its memory grows, and how much longer new orders take. The events are of a type on which no
 * reaction runs: what reactions take to work them off is not measured. They are an hour old when the relay sees them.
 */
export async function backlog(system: System): Promise<Result[]> {
  const sql = postgres(String(system.environment.ofService('migrate')['ADMIN_DATABASE_URL']), { max: 2 })
  const relay = system.backend.processes().find(({ name }) => name === 'relay')!.pid!
  try {
    const place = await placer(system)
    await time(sql, place, count(20))
    const usual = await time(sql, place, count(orders))

    const memory: number[] = []
    await fill(sql, events)
    const began = performance.now()
    let seconds: number | undefined
    const draining = drained(sql, () => memory.push(memoryOf([relay]).rss)).then(
      () => (seconds = (performance.now() - began) / 1000),
    )
    const meanwhile = await time(sql, place, () => seconds === undefined)
    await draining
    const rate = events / seconds!
    const half = Math.floor(memory.length / 2)
    return [
      {
        what: '100,000 waiting events published',
        ours: `${rate.toFixed(0)}/s`,
        against: 'while new orders are placed, 2 at once',
        ratio: '',
        goal: '≥ 2000/s',
        met: rate >= 2_000,
      },
      compare('memory of the relay meanwhile', {
        ours: Math.max(...memory.slice(half)),
        against: Math.max(...memory.slice(0, half)),
        unit: 'MiB',
        of: 'in the first half',
        goal: 1.1,
      }),
      ...(['accepted', 'confirmed'] as const).map((step) =>
        compare(`new orders meanwhile, ${step}`, {
          ours: meanwhile[step],
          against: usual[step],
          unit: 'ms',
          of: 'without a backlog',
          goal: 1.5,
        }),
      ),
    ]
  } finally {
    await sql.end()
  }
}

interface Comparison {
  ours: number
  against: number
  unit: string
  /** What it is compared with. */
  of: string
  goal: number
}

function compare(what: string, { ours, against, unit, of, goal }: Comparison): Result {
  const ratio = ours / against
  return {
    what,
    ours: `${ours.toFixed(0)} ${unit}`,
    against: `${against.toFixed(0)} ${unit} ${of}`,
    ratio: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${goal} ×`,
    met: ratio <= goal,
  }
}

/** Writes events that have been due for an hour. The relay sees all of them at the same time. */
export async function fill(sql: postgres.Sql, count: number) {
  await sql`
    insert into events.outbox (id, type, source, subject, data, actor, due)
    select uuidv7(), 'order.confirmed', '/orders', id::text, jsonb_build_object('orderId', id), 'system',
      now() - interval '1 hour'
    from (select uuidv7() as id from generate_series(1, ${count}::int)) as made`
  await sql`select pg_notify(${outboxChannel}, '')`
}

/** Waits until no event waits. Calls `each` every tenth of a second. */
export async function drained(sql: postgres.Sql, each = () => {}) {
  for (let tries = 0; tries < patience * 10; tries++) {
    await pause(100)
    each()
    const [waiting] = await sql`
      select from events.outbox where published_at is null and due < now() - interval '1 minute' limit 1`
    if (waiting === undefined) return
  }
  throw new Error(`The relay has not published all events in ${patience} s.`)
}

/** Returns a function that is true so many times. */
const count = (times: number) => () => times-- > 0

/** Places orders while it should go on. Returns the median times until they are accepted, and confirmed, in ms. */
async function time(sql: postgres.Sql, place: () => Promise<string>, goesOn: () => boolean) {
  const waiting = new Map<string, () => void>()
  const looking = look(sql, waiting)
  const accepted: number[] = []
  const confirmed: number[] = []
  const customer = async () => {
    while (goesOn()) {
      const began = performance.now()
      const id = await place()
      accepted.push(performance.now() - began)
      await new Promise<void>((resolve) => waiting.set(id, resolve))
      confirmed.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, customer))
  await looking.stop()
  return { accepted: median(accepted), confirmed: median(confirmed) }
}
