import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { UserError } from '../functions/shared/process/user-error.ts'
import { createStartup, type Startup } from '../local/startup.ts'
import { family, familyCpuSeconds, load, median, memoryOf } from './harness.ts'
import { medusa } from './peers/medusa.ts'
import { sku, type Peer, type Prepare, type Shop } from './peers/peer.ts'
import { vendure } from './peers/vendure.ts'
import { zeroshop } from './peers/zeroshop.ts'
import type { Result } from './result.ts'

const systems: Record<string, Prepare> = { Zeroshop: zeroshop, Vendure: vendure, Medusa: medusa }
const rounds = 3
/** How long a system is left alone before its memory is measured, in s. */
const settle = 5
/** How long orders are placed without being measured, in s. */
const warmUp = 10
/** How long orders are placed, in s. What is under way then is waited for. */
const seconds = 8

/** What a round measures. */
interface Measured {
  start: number
  pss: number
  one: Sales
  eight: Sales
  many: Sales
  reads: number
}

/**
 * Measures our shop, Vendure and Medusa in turn, with the same order and the same client. Only one runs at a time.
 * docs/benchmarks.md says what is compared.
 */
export async function peers(): Promise<Result[]> {
  const stopping = new AbortController()
  const startup = createStartup(stopping.signal)
  const interrupt = () => stopping.abort(new UserError('Interrupted.'))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, interrupt)
  try {
    return table(await startup.step(measureAll(startup)))
  } finally {
    if (stopping.signal.aborted) console.error('Stopping …')
    await startup.stop()
    for (const signal of signals) process.off(signal, interrupt)
    // a step that was interrupted may still be about to start something
    if (stopping.signal.aborted) process.exit(130)
  }
}

async function measureAll(startup: Startup): Promise<Record<string, Measured[]>> {
  const prepared: Record<string, Peer> = {}
  for (const [name, prepare] of Object.entries(systems)) {
    console.error(pc.dim(`preparing ${name} …`))
    prepared[name] = await prepare(startup)
  }
  const all: Record<string, Measured[]> = {}
  for (let round = 1; round <= rounds; round++)
    for (const [name, peer] of Object.entries(prepared)) {
      const measured = await measure(peer)
      const { one, eight, many } = measured
      const rates = [one, eight, many].map(({ rate }) => rate.toFixed(1)).join(' / ')
      console.error(
        pc.dim(`round ${round}: ${name}: ${rates} orders/s, ${eight.cpuMs.toFixed(0)} ms of CPU each`),
      )
      ;(all[name] ??= []).push(measured)
    }
  return all
}

async function measure(peer: Peer): Promise<Measured> {
  const began = performance.now()
  const shop = await peer.start()
  const start = (performance.now() - began) / 1000
  await pause(settle * 1000)
  const { pss } = memoryOf(shop.pids.flatMap(family))
  const customers = await Promise.all(Array.from({ length: 32 }, (_, n) => shop.customer(n)))
  await sell(shop, customers.slice(0, 8), warmUp)
  const one = await sell(shop, customers.slice(0, 1), seconds)
  const eight = await sell(shop, customers.slice(0, 8), seconds)
  const many = await sell(shop, customers, seconds)
  const { url, ...request } = shop.product
  const read = (duration: number) =>
    load(url, duration, { ...request, verifyBody: (body) => String(body).includes(sku) })
  // as long as the measurement: on a busy machine, the first answer may take seconds
  await read(seconds)
  const reads = await read(seconds)
  await shop.stop()
  return { start, pss, one, eight, many, reads }
}

interface Sales {
  /** Paid orders in a second. */
  rate: number
  /** How long the orders took, in ms. */
  times: number[]
  /** The CPU time of the system for each order, in ms. */
  cpuMs: number
}

/** Lets customers buy one piece after the other. @throws if the system does not have as many more paid orders */
async function sell(shop: Shop, customers: (() => Promise<void>)[], forSeconds: number): Promise<Sales> {
  const cpu = () => shop.pids.reduce((sum, pid) => sum + familyCpuSeconds(pid), 0)
  const paidBefore = await shop.paid()
  const cpuBefore = cpu()
  const began = performance.now()
  const times: number[] = []
  await Promise.all(
    customers.map(async (buy) => {
      while (performance.now() - began < forSeconds * 1000) {
        const ordered = performance.now()
        await buy()
        times.push(performance.now() - ordered)
      }
    }),
  )
  const took = (performance.now() - began) / 1000
  const cpuMs = ((cpu() - cpuBefore) / times.length) * 1000
  const paid = (await shop.paid()) - paidBefore
  if (paid !== times.length) throw new Error(`${times.length} orders were placed, but ${paid} are paid`)
  return { rate: times.length / took, times, cpuMs }
}

/** The figures of the table: ours is compared with each of the others. */
const figures: { what: string; of: (measured: Measured) => number; show: (value: number) => string }[] = [
  { what: 'orders/s to paid, 32 at once', of: ({ many }) => many.rate, show: (rate) => rate.toFixed(1) },
  { what: 'orders/s to paid, 8 at once', of: ({ eight }) => eight.rate, show: (rate) => rate.toFixed(1) },
  { what: 'orders/s to paid, 1 at a time', of: ({ one }) => one.rate, show: (rate) => rate.toFixed(1) },
  { what: 'CPU an order, 8 at once', of: ({ eight }) => eight.cpuMs, show: (ms) => `${ms.toFixed(1)} ms` },
  {
    what: 'an order, 1 at a time, p50',
    of: ({ one }) => median(one.times),
    show: (ms) => `${ms.toFixed(0)} ms`,
  },
  { what: 'product reads, 32 connections', of: ({ reads }) => reads, show: (rate) => `${rate.toFixed(0)}/s` },
  { what: 'start to first product', of: ({ start }) => start, show: (s) => `${s.toFixed(1)} s` },
  { what: 'idle, PSS with stores', of: ({ pss }) => pss, show: (mib) => `${mib.toFixed(0)} MiB` },
]

const goal = { what: figures[0]!.what, against: 'Vendure', least: 10 }

function table({ Zeroshop: ours, ...others }: Record<string, Measured[]>): Result[] {
  return figures.flatMap(({ what, of, show }) => {
    const mine = median(ours!.map(of))
    return Object.entries(others).map(([name, theirs]) => {
      const value = median(theirs.map(of))
      const ratio = mine / value
      const isGoal = what === goal.what && name === goal.against
      return {
        what,
        ours: show(mine),
        against: `${show(value)} ${name}`,
        ratio: `${ratio.toPrecision(3)} ×`,
        goal: isGoal ? `≥ ${goal.least} ×` : '',
        met: !isGoal || ratio >= goal.least,
      }
    })
  })
}
