import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { expecting, newOrder, readPrices } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import type { System } from '../local/system.ts'
import { call, cpuSeconds, family } from './harness.ts'
import { mug } from './shop.ts'
import type { Result } from './result.ts'

/** The number of orders that are measured, by how many are under way at a time. */
const orders = { 1: 100, 8: 1_000, 32: 1_600 }
/** The number of orders that are not measured: after so many, the code of all functions is compiled. */
const warmUp = 300
/** The number of orders that are placed as fast as possible. */
const burst = 1_000
/** How many of these are placed at a time. */
const rushAtOnce = 64
/** How often confirmed orders are looked for, in ms. */
const lookMs = 10

/**
 * Measures how many orders are confirmed in a second, and the CPU time of each: of all processes of the shop and of
 * this one, which is also the client.
 */
export async function ordersToConfirmed(system: System): Promise<Result[]> {
  const sql = postgres(String(system.environment.ofService('migrate')['ORDERS_DATABASE_URL']), { max: 1 })
  try {
    const place = await placer(system, await register(system, rushAtOnce))
    await run(sql, place, 8, warmUp)
    const one = await run(sql, place, 1, orders[1])
    const eight = await run(sql, place, 8, orders[8])
    const many = await run(sql, place, 32, orders[32])
    const rush = await rushOf(sql, place)
    return [
      row('orders/s to confirmed, 32 at once', many.rate.toFixed(1), '≥ 130', many.rate >= 130),
      row('orders/s to confirmed, 8 at once', eight.rate.toFixed(1), '', true),
      row('orders/s to confirmed, 1 at a time', one.rate.toFixed(1), '', true),
      row('orders/s accepted, 1,000 at once', rush.accepted.toFixed(0), '≥ 1000', rush.accepted >= 1_000),
      row('orders/s confirmed after that', rush.confirmed.toFixed(1), 'all', true),
      row('CPU an order, 8 at once', `${eight.cpuMs.toFixed(1)} ms`, '≤ 14 ms', eight.cpuMs <= 14),
    ]
  } finally {
    await sql.end()
  }
}

const row = (what: string, ours: string, goal: string, met: boolean): Result => ({
  what,
  ours,
  against: '',
  ratio: '',
  goal,
  met,
})

/**
 * Registers customers, and returns their tokens. Each of the orders that are under way at the same time has a customer of
 * its own, because the orders of one customer are admitted one after the other.
 */
async function register({ url }: Pick<System, 'url'>, count: number): Promise<string[]> {
  const shop = shopClient(url)
  const tokens: string[] = []
  while (tokens.length < count) tokens.push(await (await shop.register()).token())
  return tokens
}

/**
 * Returns a function that places an order, as a customer who knows the prices, and returns its id.
 * @param tokens of the customers who place the orders in turn; without them, a new customer places all
 */
export async function placer({ url }: Pick<System, 'url'>, tokens?: readonly string[]) {
  const customer = await shopClient(url).register()
  const used = tokens ?? [await customer.token()]
  let turn = 0
  const prices = await readPrices(
    customer,
    mug.map(({ sku }) => sku),
  )
  const body = JSON.stringify(expecting(newOrder(mug), prices))
  return async () => {
    const headers = {
      authorization: `Bearer ${used[turn++ % used.length]}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    }
    const { status, text } = await call(`${url}/api/v1/orders`, 'POST', headers, body)
    if (status !== 201) throw new Error(`an order was refused: ${status} ${text}`)
    return (JSON.parse(text) as { id: string }).id
  }
}

/** Keeps so many orders under way until the given number is confirmed. */
export async function run(sql: postgres.Sql, place: () => Promise<string>, atOnce: number, count: number) {
  const waiting = new Map<string, () => void>()
  const looking = look(sql, waiting)
  const cpuBefore = shopCpu()
  const began = performance.now()
  let left = count
  const customer = async () => {
    while (left-- > 0) {
      const id = await place()
      await new Promise<void>((resolve) => waiting.set(id, resolve))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, customer))
  const seconds = (performance.now() - began) / 1000
  const cpu = shopCpu() - cpuBefore
  await looking.stop()
  return { rate: count / seconds, cpuMs: (cpu / count) * 1000 }
}

/** Places many orders, some at a time, without waiting for any to be confirmed. Then waits for all. */
export async function rushOf(sql: postgres.Sql, place: () => Promise<string>) {
  const waiting = new Map<string, () => void>()
  const looking = look(sql, waiting)
  const began = performance.now()
  const confirmed: Promise<void>[] = []
  let left = burst
  const customer = async () => {
    while (left-- > 0) {
      const id = await place()
      confirmed.push(new Promise<void>((resolve) => waiting.set(id, resolve)))
    }
  }
  await Promise.all(Array.from({ length: rushAtOnce }, customer))
  const placed = performance.now()
  await Promise.all(confirmed)
  const ended = performance.now()
  await looking.stop()
  return {
    accepted: burst / ((placed - began) / 1000),
    confirmed: burst / ((ended - began) / 1000),
  }
}

/** Resolves each waiting order once it is confirmed. */
export function look(sql: postgres.Sql, waiting: Map<string, () => void>) {
  const stopping = new AbortController()
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await pause(lookMs)
      if (waiting.size === 0) continue
      const confirmed = await sql<{ id: string }[]>`
        select id from orders.orders where id = any(${[...waiting.keys()]}) and status = 'confirmed'`
      for (const { id } of confirmed) {
        waiting.get(id)?.()
        waiting.delete(id)
      }
    }
  })()
  return {
    stop: () => {
      stopping.abort()
      return done
    },
  }
}

const shopCpu = () => family(process.pid).reduce((sum, pid) => sum + cpuSeconds(pid), 0)
