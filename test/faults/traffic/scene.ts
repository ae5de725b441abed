import { randomUUID } from 'node:crypto'
import type { Schemas } from '../../../demo/client/client.ts'
import { good } from '../../../demo/client/good.ts'
import { readPrices } from '../../../demo/client/orders.ts'
import type { Person } from '../../../demo/client/shop.ts'
import { demoPassword } from '../../../local/people.ts'
import { promisedSince, type Promised } from '../checker.ts'
import { times } from '../fault.ts'
import type { Random } from '../random.ts'
import type { FaultShop } from '../shop.ts'
import { createInsistence, type Insist } from './insist.ts'

/** The SKUs that customers order. */
export const skus = ['MUG-BLUE', 'MUG-RED', 'KIT-PUNCTURE', 'TOOL-HEX-SET'] as const

/** What all parts of the traffic share. */
export interface Scene {
  shop: FaultShop
  random: Random
  /** Customers. */
  people: Person[]
  staff: Person
  seller: Person
  insist: Insist
  /** What the shop has confirmed, for comparison with its stores. */
  promised: Promised
  /** The prices that customers have seen. They do not change. */
  prices: Map<string, Schemas['Money']>
  /** The codes of coupons. */
  coupons: string[]
}

export async function openScene(shop: FaultShop, random: Random, customers: number) {
  const promised = promisedSince(await shop.books())
  const logIn = (email: string) => shop.unchecked.logIn({ email, password: demoPassword })
  const [people, staff, seller] = await Promise.all([
    times(customers, () => shop.unchecked.register()),
    logIn('staff@example.com'),
    logIn('seller@example.com'),
  ])
  const { insist, strange, calm } = createInsistence()
  const prices = new Map(await readPrices(shop.unchecked, skus))
  const coupons = await Promise.all(
    [{}, { maxInAll: 20 }, { maxPerUser: 3 }].map((limits) => offer(staff, limits)),
  )
  const scene: Scene = { shop, random, people, staff, seller, insist, promised, prices, coupons }
  return { scene, strange, calm }
}

/** Creates a coupon. Returns its code. */
async function offer(staff: Person, limits: { maxInAll?: number; maxPerUser?: number }): Promise<string> {
  const code = `FAULT-${randomUUID().slice(0, 13)}`
  // also for a process whose clock is slow
  const validFrom = new Date(Date.now() - 86_400_000).toISOString()
  const body = { code, discount: { percent: 10 }, skus: [], categories: [], validFrom, ...limits }
  return (await good(staff.POST('/coupons', { params: withKey(), body }))).code
}

/** Parameters with an Idempotency-Key, which stays the same when the request is repeated. */
export const withKey = (key: string = randomUUID()) => ({ header: { 'Idempotency-Key': key } })

/** Parameters that name a resource. */
export const at = (id: string) => ({ params: { path: { id } } })
