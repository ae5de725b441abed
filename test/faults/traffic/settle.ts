import { setTimeout as pause } from 'node:timers/promises'
import type { MongoClient } from 'mongodb'
import type { Sql } from 'postgres'
import { times } from '../fault.ts'
import type { Orders } from './orders.ts'
import type { Scene } from './scene.ts'

/**
 * Decides what becomes of orders with a shortage, ships all confirmed orders, and the rest of those that were shipped in part, and waits until every order has ended.
 * @param withinMs how long that may take after the last shipment
 * @returns whether every order ended in time
 */
export const settle = (scene: Scene, orders: Orders, withinMs: number): Promise<boolean> =>
  scene.shop.sql((sql) => scene.shop.mongodb((mongodb) => settleBy(scene, orders, sql, mongodb, withinMs)))

async function settleBy(
  { promised, staff }: Scene,
  { ship, finishParcels, decide, cancel }: Orders,
  sql: Sql,
  mongodb: MongoClient,
  withinMs: number,
) {
  let end = performance.now() + withinMs
  let left = ''
  while (performance.now() < end) {
    const waiting = await sql<{ id: string; status: string; shortage: string | null }[]>`
      select id, status, shortage->>'state' as shortage from orders.orders where status not in ('completed', 'cancelled')`
    // nobody brings what is missing any more
    for (const { id, status, shortage } of waiting)
      if (status === 'placed' && shortage === 'undecided') await decide({ id, who: staff }, 'part')
      else if (status === 'placed' && shortage === 'backordered') await cancel({ id, who: staff })
    // an order is not shipped twice; otherwise a lost shipment would go unnoticed
    const confirmed = waiting.filter(({ id, status }) => status === 'confirmed' && !promised.shipped.has(id))
    const inPart = await sql<{ id: string }[]>`
      select id from shipments.shipments
      where status in ('waiting', 'taken', 'packed') and shipped_parcels > 0`
    if (confirmed.length + inPart.length > 0) {
      await times(4, async () => {
        for (let one = confirmed.pop(); one !== undefined; one = confirmed.pop()) await ship(one)
        for (let one = inPart.pop(); one !== undefined; one = inPart.pop()) await finishParcels(one.id)
      })
      end = performance.now() + withinMs
    }
    const pending = { orders: waiting.length, ...(await unfinished(sql, mongodb)) }
    if (Object.values(pending).every((count) => count === 0)) return true
    left = JSON.stringify(pending)
    await pause(200)
  }
  console.error(`Not settled within ${withinMs} ms: ${left}`)
  return false
}

/** Counts what is still under way besides orders, by kind. */
async function unfinished(sql: Sql, mongodb: MongoClient) {
  const [open] = await sql<
    [{ events: number; failures: number; payments: number; refunds: number; coupons: number }]
  >`
    select
      (select count(*)::int from events.outbox where settled_at is null and due <= now()) as events,
      (select count(*)::int from events.failures where next_at is not null) as failures,
      (select count(*)::int from payments.payments where status in ('authorizing', 'capturing', 'voiding')) as payments,
      (select count(*)::int from payments.refunds where status = 'pending') as refunds,
      (select count(*)::int from coupons.redemptions where state = 'held') as coupons`
  const pending = (domain: string, collection = domain) =>
    mongodb
      .db(domain)
      .collection(collection)
      .countDocuments({ 'outbox.id': { $gt: '' } })
  return {
    ...open,
    products: await pending('products'),
    reviews: await pending('products', 'reviews'),
    carts: await pending('carts'),
  }
}
