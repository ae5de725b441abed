import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { newOrder } from '../../orders.ts'
import { must, type Fault } from '../fault.ts'

/** No event is passed over, whatever the relays do; each has its effect once. */
export const relays: Fault = {
  name: 'relays',
  title:
    'A transaction that commits after a later one; two relays at once; a relay that stands still and goes on',
  async run({ shop, traffic, injected, say }) {
    const sql = postgres(shop.database.get('postgres')!.url, { max: 2, onnotice: () => {} })
    const order = () =>
      traffic
        .place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'))
        .then(({ id }) => id)
    const early = await order()
    await traffic.decided(early)
    // an event with an early id that becomes visible only once later ones were published
    const id = uuidv7()
    await sql.begin(async (tx) => {
      await tx`insert into events.outbox (id, type, source, subject, data, awaits) values
        (${id}, 'payment.refunded', '/payments', ${early}, ${tx.json({ orderId: early, paymentId: uuidv7(), amount: { amount: 1, currency: 'EUR' } })}, ${['track-order']})`
      await traffic.decided(await order())
    })
    for (let tries = 0; (await sql`select from events.inbox where event_id = ${id}`).length === 0; tries++) {
      must(tries < 300, 'an event that was committed after a later one was passed over')
      await pause(50)
    }
    injected()

    const busy = traffic.run({ atOnce: 2, pauseMs: 150 })
    const second = await shop.startSecond('relay')
    await pause(4_000)
    const relay = shop.processes().find(({ name }) => name === 'relay')!.pid
    // longer than PostgreSQL lets a transaction stand idle, after which another takes its rows
    await shop.frozen(relay, () => pause(24_000))
    injected(2)
    await pause(2_000)
    await second.stop()
    await busy.stop()
    const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`select count(*)::int from events.outbox`
    await sql.end()
    must(count > 0, 'nothing happened')
    say(`${count} events`)
  },
}
