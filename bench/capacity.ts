/**
 * `npm run capacity`: measures what orders cost in a local shop, and computes docs/capacity.md from it. The events of an
 * order that are due later, and the removal of its rows when they expire, are brought forward, so that all of it counts.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { shopClient, type Person } from '../demo/client/shop.ts'
import { measuredFile, readMeasured, type CallCost, type Measured } from '../docs/capacity/measured.ts'
import { capacityPage } from '../docs/capacity/page.ts'
import { markdown } from '../docs/generate.ts'
import { run } from '../functions/shared/process/run.ts'
import { databaseRoles, functions } from '../functions/table.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { demoPassword } from '../local/people.ts'
import type { System } from '../local/system.ts'
import { root, startShop } from './harness.ts'
import { openLives, openVisits, purge, type Own } from './lives.ts'
import { openMeter, type Counters, type Facts, type Meter, type Occupancy } from './meter.ts'
import { stockUp } from './shop.ts'

const orders = 800
/** Orders that are under way at a time, while CPU time and what is written are measured. */
const atOnce = 8
/** Orders of a round with one at a time, which tells how long calls take without others in their way. */
const single = 60
/** The quietest round counts, because a busy machine only makes calls slower. */
const rounds = 4
/** Orders that are not measured, until the functions run and are compiled. */
const warmUp = 200
const idleSeconds = 20
/** Calls of each operation that visitors call at will, in a round. */
const calls = 200
const logIns = 20

const usage = `npm run capacity
Measures what an order costs in a local shop (some five minutes), writes docs/capacity/measured.json, and computes
docs/capacity.md from it. npm run generate only computes it.`

const say = (line: string) => console.error(pc.dim(line))

/** Leaves three digits, which is more than the measurements agree in. */
const rounded = (key: string, value: unknown) =>
  typeof value === 'number' ? Number(value.toPrecision(3)) : value

async function measure(system: System): Promise<Omit<Measured, 'cluster'>> {
  await stockUp(system.url)
  const meter = await openMeter(system)
  try {
    const customer = await shopClient(system.url).register()
    const staff = await shopClient(system.url).logIn({ email: 'staff@example.com', password: demoPassword })
    const live = await openLives(system, meter, customer, staff)
    say(`${warmUp} orders, until the functions are warm …`)
    await live(warmUp, atOnce)
    say(`an idle shop for ${idleSeconds} s …`)
    const idle = await between(meter, () => pause(idleSeconds * 1000))
    say(`${rounds} × ${single} orders, one at a time …`)
    const busy = await quietest(meter, live)
    say(`${orders} orders, ${atOnce} at a time …`)
    // so that none comes while orders are measured
    await meter.sql`checkpoint`
    const life = await between(meter, () => live(orders, atOnce))
    say('removing what has expired …')
    const purged = await between(meter, () => purge(meter))
    const visits = await measureVisits(system, meter, customer)
    return { ...perOrder({ idle, life, purged, busy }, visits), ...(await meter.facts()) }
  } finally {
    await meter.close()
  }
}

/** Measures orders one at a time. Returns the round in which calls were in flight for the shortest time in all. */
async function quietest(meter: Meter, live: Awaited<ReturnType<typeof openLives>>): Promise<Occupancy> {
  const inFlight = ({ calls, seconds }: Occupancy) =>
    seconds * Object.values(calls).reduce((sum, mean) => sum + mean, 0)
  const all: Occupancy[] = []
  for (let n = 0; n < rounds; n++) all.push(await meter.occupancy(async () => void (await live(single, 1))))
  return all.reduce((best, one) => (inFlight(one) < inFlight(best) ? one : best))
}

interface Raw {
  idle: Counters
  life: Counters
  purged: Counters
  /** What was in use with one order at a time. */
  busy: Occupancy
}

/** Divides what was counted by the orders. What the idle shop uses in the same time does not count. */
function perOrder(
  { idle, life, purged, busy }: Raw,
  visits: Record<string, CallCost>,
): Omit<Measured, 'cluster' | keyof Facts> {
  const without = (part: Counters, of: (counters: Counters) => number) =>
    of(part) - (of(idle) / idle.seconds) * part.seconds
  const expired = warmUp + rounds * single + orders
  const each = (of: (counters: Counters) => number) =>
    without(life, of) / orders + without(purged, of) / expired
  const msOf = (inUse: number | undefined, times: number) =>
    ((inUse ?? 0) * busy.seconds * 1000) / (single * times)
  const cpu = (name: string) => each(({ cpu }) => cpu[name]! * 1000)
  const called: Record<string, number> = { ...life.handled, 'create-order': orders, 'ship-order': orders }
  return {
    orders,
    functions: {
      ...Object.fromEntries(
        Object.keys(functions).flatMap((name) => {
          const count = called[name] ?? 0
          // others happen only now and then
          if (count < orders / 2) return []
          const cpuMs = (life.cpu[name]! / count) * 1000
          return [[name, { perOrder: count / orders, cpuMs, ms: msOf(busy.calls[name], count / orders) }]]
        }),
      ),
      ...visits,
    },
    services: {
      relay: cpu('relay'),
      dispatcher: cpu('dispatcher'),
      nats: cpu('nats'),
      postgres: cpu('postgres'),
    },
    postgres: {
      walBytes: each(({ walBytes }) => walBytes),
      purgeWalBytes: without(purged, ({ walBytes }) => walBytes) / expired,
      transactions: each(({ transactions }) => transactions),
      busyMs: Object.fromEntries(
        databaseRoles.filter((role) => role in busy.roles).map((role) => [role, msOf(busy.roles[role], 1)]),
      ),
      tables: Object.fromEntries(
        Object.keys(life.tables).flatMap((name) => {
          const inserted = each(({ tables }) => tables[name]!.inserted)
          const deleted = each(({ tables }) => tables[name]!.deleted)
          const { updated, hot, bytes } = life.tables[name]!
          if (inserted + updated / orders < 0.1) return []
          return [
            [
              name,
              { inserted, updated: updated / orders, hot: hot / orders, deleted, bytes: bytes / orders },
            ],
          ]
        }),
      ),
    },
    jetstream: { messages: life.messages / orders, bytes: life.streamBytes / orders },
  }
}

/** Returns how much each counter grows while work runs, without what the work says that it added itself. */
async function between(meter: Meter, work: () => Promise<Own | void>): Promise<Counters> {
  await reported()
  const before = await meter.read()
  const own = await work()
  await reported()
  const grown = minus(await meter.read(), before) as unknown as Counters
  grown.walBytes -= own?.walBytes ?? 0
  grown.tables['events.outbox']!.updated -= own?.updated ?? 0
  return grown
}

/** PostgreSQL's idle sessions report their statistics within 10 s. */
const reported = () => pause(11_000)

interface Numbers {
  [name: string]: number | Numbers
}

/** Subtracts numbers from numbers of the same names. */
const minus = (after: object, before: object): Numbers =>
  Object.fromEntries(
    Object.entries(after as Numbers).map(([name, value]) => {
      const was = (before as Numbers)[name]
      return [
        name,
        typeof value === 'number'
          ? value - ((was as number | undefined) ?? 0)
          : minus(value, (was as Numbers | undefined) ?? {}),
      ]
    }),
  )

/** Measures the operations that visitors call at will. */
async function measureVisits(
  system: System,
  meter: Meter,
  customer: Person,
): Promise<Record<string, CallCost>> {
  const costs: Record<string, CallCost> = {}
  for (const [name, visit] of Object.entries(await openVisits(system, meter, customer))) {
    const count = name === 'log-in' ? logIns : calls
    say(`${count} calls of ${name} …`)
    const one = async () => {
      const { status } = await visit()
      if (status >= 300) throw new Error(`${name} returned ${status}`)
    }
    const often = async (times: number) => {
      for (let n = 0; n < times; n++) await one()
    }
    await often(count)
    const before = await meter.read()
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const began = performance.now()
      await often(count)
      times.push(performance.now() - began)
    }
    const after = await meter.read()
    costs[name] = {
      cpuMs: ((after.cpu[name]! - before.cpu[name]!) / (rounds * count)) * 1000,
      ms: Math.min(...times) / count,
    }
  }
  return costs
}

await run(async () => {
  readArguments(usage, {})
  const { cluster } = readMeasured()
  // so long a window that no function stops, and takes its CPU time with it
  const { system, stop } = await startShop({ window: 3600 })
  try {
    const measured = { ...(await measure(system)), cluster }
    writeFileSync(measuredFile, `${JSON.stringify(measured, rounded, 2)}\n`)
  } finally {
    await stop()
  }
  writeFileSync(join(root, 'docs/capacity.md'), await markdown(await capacityPage(readMeasured())))
})
