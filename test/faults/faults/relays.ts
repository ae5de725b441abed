import { setTimeout as pause } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { newOrder } from '../../../demo/client/orders.ts'
import { crashAt, passed } from '../crash.ts'
import { must, until, type Fault } from '../fault.ts'

/** Whatever happens to the relays, no event is skipped, and each takes effect once. */
export const relays: Fault = {
  name: 'relays',
  title:
    'A transaction that commits after a later one; two relays at once; a relay that is suspended and resumed',
  run: (context) =>
    context.shop.sql(async (sql) => {
      const { shop, traffic, injected, say } = context
      const order = () =>
        traffic
          .place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'))
          .then(({ id }) => id)
      const early = await order()
      await traffic.decided(early)
      // an event with an early id that becomes visible only after later ones were published
      const id = uuidv7()
      await sql.begin(async (tx) => {
        await tx`insert into events.outbox (id, type, source, subject, data, awaits) values
        (${id}, 'stock.released', '/stock', ${early}, ${tx.json({ orderId: early })}, ${['track-order']})`
        await traffic.decided(await order())
      })
      await until(
        'an event that was committed after later ones takes effect',
        async () => (await sql`select from events.inbox where event_id = ${id}`).length > 0,
      )
      injected()

      const busy = traffic.run({ atOnce: 2, pauseMs: 150 })
      const second = await shop.startSecond('relay')
      let stopped: number | undefined
      try {
        await pause(4_000)
        // one relay is suspended in its transaction, which locks the rows that it was about to publish
        const publishes = passed(context).find((point) => /^relay .* publish \| before$/.test(point))
        must(publishes !== undefined, 'nothing was published')
        stopped = await crashAt(context, publishes, { signal: 'SIGSTOP' })
        must(stopped !== undefined, 'no relay was suspended')
        const [held] = await sql<{ ids: string[] | null }[]>`
        select array_agg(id) as ids from events.outbox where published_at is null and due <= now() and id not in
          (select id from events.outbox where published_at is null and due <= now() for update skip locked)`
        const ids = held?.ids ?? []
        must(ids.length > 0, 'the suspended relay holds no events')
        // PostgreSQL ends its transaction, and the other relay publishes the rows
        const left = () => sql`select from events.outbox where id = any(${ids}) and published_at is null`
        await until('the other relay publishes them', async () => (await left()).length === 0, 60_000)
        say(`${ids.length} events held by a suspended relay, and published by the other`)
      } finally {
        if (stopped !== undefined) process.kill(stopped, 'SIGCONT')
        // the resumed relay finishes its work
        await pause(3_000)
        await second.stop()
      }
      injected(2)
      await busy.stop()
    }),
}
