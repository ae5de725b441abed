import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { newOrder } from '../orders.ts'
import { deliveries } from './faults/deliveries.ts'
import { mutations } from './mutations.ts'
import { createRandom } from './random.ts'
import { keep, type Check } from './report.ts'
import { openFaultShop } from './shop.ts'
import { openTraffic, type Traffic } from './traffic.ts'

/** Builds the shop broken in one way after the other: the checker must see each, and by the invariant that it breaks. */
export async function mutationsAreCaught(seed: number): Promise<Check[]> {
  const checks: Check[] = []
  console.log(`\n${pc.bold('mutations')}  for each invariant a broken build, which the checker must catch`)
  for (const mutation of mutations) {
    const shop = await openFaultShop({ broken: mutation.breaks })
    const random = createRandom(seed).fork(mutation.name)
    try {
      const traffic = await openTraffic(shop, random)
      await story(traffic)
      if (mutation.breaks === 'I4') {
        const context = { shop, traffic, random, injected: () => {}, say: () => {} }
        await deliveries.run(context).catch(() => {})
      }
      const findings = await traffic.verify({ withinMs: 20_000 })
      const bad = findings.filter(({ violations }) => violations.length > 0)
      const { name, breaks, sees } = mutation
      const violation = bad
        .find((finding) => finding.name === breaks)
        ?.violations.find((text) => text.includes(sees))
      const caught = violation !== undefined
      const check: Check = { name, breaks, caught, found: bad.map((one) => one.name) }
      checks.push(check)
      keep(check)
      const mark = caught ? pc.green('✓ caught') : pc.red('✗ NOT caught')
      console.log(`  ${mark}  ${mutation.breaks}  ${mutation.name}`)
      console.log(pc.dim(`      ${violation ?? ''}`))
    } finally {
      await shop.stop()
    }
  }
  return checks
}

/** Something of everything: an order that is completed and refunded, one asked for twice, one declined, one cancelled. */
async function story(traffic: Traffic) {
  const buy = (card: string, key?: string) =>
    traffic.place(traffic.people[0], newOrder([{ sku: 'MUG-BLUE', quantity: 2 }], card), key)
  const paid = await buy('card_approved', 'asked-for-twice')
  await buy('card_approved', 'asked-for-twice')
  await buy('card_declined')
  const cancelled = await buy('card_approved')
  await pause(3_000)
  await traffic.cancel(cancelled.id)
  await traffic.ship(paid.id)
  await pause(2_000)
  await traffic.refund(paid.id)
}
