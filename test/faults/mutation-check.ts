import pc from 'picocolors'
import { newOrder } from '../../demo/client/orders.ts'
import type { Finding } from './checker.ts'
import { until } from './fault.ts'
import { deliveries } from './faults/deliveries.ts'
import { mutations, type Mutation } from './mutations.ts'
import { createRandom } from './random.ts'
import { keep, type Check } from './report.ts'
import { openFaultShop, type FaultShop } from './shop.ts'
import { openTraffic, type Traffic } from './traffic/traffic.ts'

/**
 * Builds the shop with one bug after another. For each bug, the checker must report the invariant that it
 * breaks. The first build has no bug, and the checker must report nothing.
 * @param most how many bugs are chosen, at random
 */
export async function mutationsAreCaught(seed: number, most: number): Promise<Check[]> {
  const checks: Check[] = []
  const chosen = createRandom(seed).shuffle(mutations).slice(0, most)
  console.log(
    `\n${pc.bold('mutations')}  a broken build for each invariant, which the checker must catch (seed ${seed})`,
  )
  for (const mutation of [undefined, ...chosen]) {
    const { name = 'nothing is', breaks = 'none', sees = '' } = mutation ?? {}
    const findings = await findingsOf(mutation, seed).catch((error: Error): Finding[] => {
      const violations = [error.message]
      return [{ name: 'I3', what: 'the orders are handled', figures: '', violations }]
    })
    const bad = findings.filter(({ violations }) => violations.length > 0)
    const violation = bad
      .find((finding) => mutation === undefined || finding.name === breaks)
      ?.violations.find((text) => text.includes(sees))
    const caught = (violation !== undefined) === (mutation !== undefined)
    const check: Check = { name, breaks, caught, found: bad.map((one) => one.name) }
    checks.push(check)
    keep(check)
    const mark = caught ? pc.green('✓') : pc.red('✗')
    console.log(`  ${mark} ${breaks}  ${name}`)
    console.log(pc.dim(`      ${violation ?? 'no violation'}`))
  }
  return checks
}

/** Returns what the checker finds in a shop with this bug, or without a bug. */
async function findingsOf(mutation: Mutation | undefined, seed: number): Promise<Finding[]> {
  const waits = mutation === undefined || mutation.waits === true
  const shop = await openFaultShop({ broken: mutation, ...(waits && { orderDeadlineMs: 12_000 }) })
  const random = createRandom(seed).fork(mutation?.name ?? 'control')
  let traffic: Traffic | undefined
  try {
    traffic = await openTraffic(shop, random)
    await story(traffic)
    if (waits) await orderThatWaits(shop, traffic)
    if (mutation === undefined || mutation.breaks === 'I4') {
      const context = { shop, traffic, random, injected: () => {}, say: () => {} }
      await deliveries.run(context).catch((error: unknown) => {
        if (mutation === undefined) throw error
      })
    }
    return await traffic.verify(mutation === undefined ? {} : { withinMs: 20_000 })
  } finally {
    traffic?.close()
    await shop.stop()
  }
}

/** An order whose payment cannot be requested is cancelled at its deadline. */
async function orderThatWaits(shop: FaultShop, traffic: Traffic) {
  shop.links.provider.cut()
  const order = newOrder([{ sku: 'MUG-BLUE', quantity: 1 }], 'card_approved')
  const { id } = await traffic.place(traffic.people[0], order)
  const isCancelled = async () => (await traffic.statusOf(id)) === 'cancelled'
  await until('the order is cancelled', isCancelled, 25_000).then(
    () => shop.links.provider.restore(),
    // if the order is not cancelled, the checker must report it
    () => {},
  )
}

/**
 * Places five orders: one is sent twice, completed, reviewed and refunded, one is declined, one has a coupon and is
 * cancelled, one is shipped in parcels, one takes the part of it that is there.
 */
async function story(traffic: Traffic) {
  const buy = (card: string, key?: string) =>
    traffic.place(traffic.people[0], newOrder([{ sku: 'MUG-BLUE', quantity: 2 }], card), key)
  const paid = await buy('card_approved', 'asked-for-twice')
  await buy('card_approved', 'asked-for-twice')
  await buy('card_declined')
  const reduced = { ...newOrder([{ sku: 'MUG-BLUE', quantity: 2 }]), couponCodes: [traffic.coupon] }
  const cancelled = await traffic.place(traffic.people[0], reduced)
  const divided = await buy('card_approved')
  // in a broken build, the order may never be decided
  const decided = ({ id }: { id: string }) => traffic.decided(id).catch(() => {})
  await decided(cancelled)
  await traffic.cancel(cancelled)
  await decided(paid)
  await traffic.ship(paid)
  const isPaid = async () => (await traffic.statusOf(paid.id)) === 'completed'
  await until('the order is paid', isPaid, 10_000).catch(() => {})
  const isReviewed = () => traffic.reviewOnce(paid.who, 'MUG-BLUE', 4)
  await until('the product is reviewed', isReviewed, 10_000).catch(() => {})
  await traffic.refund(paid)
  await decided(divided)
  await until('a part of the order is shipped', () => traffic.shipPart(divided.id), 10_000).catch(() => {})
  await traffic.finishParcels(divided.id)
  const short = newOrder([{ sku: await traffic.newSku(1), quantity: 2 }])
  await decided(await traffic.place(traffic.people[0], { ...short, onShortage: 'partial' }))
}
