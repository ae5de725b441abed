import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { newOrder } from '../../orders.ts'
import { must, type Fault } from '../fault.ts'

/** No event is passed over, whatever the relays do; each has its effect once. */
export const relays: Fault = {
  name: 'relays',
  title:
    'A transaction that commits after a later one; two relays at once; a relay that stands still and goes on',
  async run({ shop, traffic, injected, say }) {
    const sql = postgres(shop.database.get('postgres')!.url, { max: 2, onnotice: () => {} })
    const { id } = await traffic.place(
      undefined,
      newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'),
    )
    await traffic.decided(id)
    // an event with an earlier id that becomes visible only now: taken back, and put again after others were published
    await sql.begin(async (tx) => {
      const [early] = await tx`select * from events.outbox where subject = ${id} and type = 'order.placed'`
      await tx`update events.outbox set published_at = null where id = ${early!['id'] as string}`
      const later = await traffic.place(
        undefined,
        newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'),
      )
      await traffic.decided(later.id)
    })
    injected()

    const busy = traffic.run()
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
