import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../demo/client/orders.ts'
import type { Random } from './random.ts'
import type { FaultShop } from './shop.ts'
import type { Traffic } from './traffic/traffic.ts'

export interface Context {
  shop: FaultShop
  /** Simulated people. What the shop promised them is checked after the fault. */
  traffic: Traffic
  random: Random
  /** Counts injected faults. */
  injected: (count?: number) => void
  say: (line: string) => void
}

/**
 * A kind of fault. `run` injects it, and throws if the shop does not withstand it. The invariants are checked
 * afterwards.
 */
export interface Fault {
  name: string
  title: string
  /** The largest error in the times that processes write, in ms. */
  clockErrorMs?: number
  /** How long deadlines may be held up, in ms: they are events, which wait for the broker. */
  brokerAwayMs?: number
  /** Whether it needs a shop that runs its stores itself, as `npm start` does, each on a small disk. */
  isEmbedded?: boolean
  run: (context: Context) => Promise<void>
}

/** @throws if the condition does not hold */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

/** Polls until a condition holds. @throws if it does not hold within `withinMs` */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 30_000) {
  const end = performance.now() + withinMs
  while (!(await isSo())) {
    must(performance.now() < end, `${what}: not within ${withinMs} ms`)
    await pause(50)
  }
}

/**
 * Waits until a product is added and an order confirmed, which needs every store. An order that waited for too long is
 * cancelled, so several may be placed.
 */
export const everythingWorks = (traffic: Traffic, withinMs: number) =>
  until(
    'a product is added and an order confirmed',
    async () => {
      await traffic.addProduct()
      const order = newOrder([{ sku: 'MUG-RED', quantity: 1 }])
      const { id } = await traffic.place(traffic.people[0], order)
      return (await traffic.decided(id)) === 'confirmed'
    },
    withinMs,
  )

/**
 * Waits until the shop has got over a fault: everything works, no event waits to be delivered again, and no process is
 * starting. On a busy machine, that would slow down what comes next.
 */
export async function everythingIsOver({ shop, traffic }: Context, withinMs = 180_000) {
  await everythingWorks(traffic, withinMs)
  await shop.sql((sql) =>
    until(
      'nothing is delivered again or starts',
      async () => {
        const [{ failures }] = await sql<[{ failures: number }]>`
          select count(*)::int as failures from events.failures where next_at is not null`
        return failures === 0 && !shop.isStarting()
      },
      withinMs,
    ),
  )
}

/** The memory of a process now (`VmRSS`) or at its peak (`VmHWM`), in MiB; 0 if it has ended. */
export function memoryMib(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(new RegExp(`^${which}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Counts equal values. */
export function tally(values: (string | number)[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const value of values) found[value] = (found[value] ?? 0) + 1
  return found
}

export const times = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)))
