import { setTimeout as pause } from 'node:timers/promises'
import { DeliverPolicy } from 'nats'
import { uuidv7 } from 'uuidv7'
import { dropDeadLetters, listDeadLetters, replayDeadLetters } from '../../../events/dead-letters.ts'
import { reactionsOn, type ReactionName } from '../../../functions/table.ts'
import { openPostgres } from '../../../functions/shared/store/postgres.ts'
import { must, until, type Context, type Fault } from '../fault.ts'
import type { FaultShop } from '../shop.ts'

/** Enough rounds for copies to overtake first deliveries, or to arrive during them. */
const rounds = 5
const mostCopies = 120

/** An event takes effect once, however often and in any order it is delivered. Bad events harm no others. */
export const deliveries: Fault = {
  name: 'deliveries',
  title:
    'Messages delivered up to four more times, in random order; poison messages among good ones, one fixed and replayed, one dropped',
  async run(context) {
    const { traffic, say, injected } = context
    const busy = traffic.run({ pauseMs: 200 })
    await pause(5_000)
    const [invalid, early] = await poison(context)
    let copies = 0
    for (let n = 0, since = new Date(0); n < rounds; n++) {
      const now = new Date()
      copies += await deliverAgain(context, since)
      since = now
    }
    injected(copies + 2)
    await busy.stop()
    await mend(context, invalid, early)
    say(`${copies} deliveries in addition to the dispatcher’s`)
  },
}

/** Delivers the stream's events since then again, up to four times each, while the dispatcher is running. */
async function deliverAgain(context: Context, since: Date): Promise<number> {
  const { shop, random } = context
  const copies: { name: ReactionName; body: string }[] = []
  for (const { type, body } of await streamed(context, since))
    for (const name of reactionsOn(type))
      for (let n = random.below(5); n > 0; n--) copies.push({ name, body })
  const left = random.shuffle(copies).slice(0, mostCopies)
  const count = left.length
  let taken = 0
  const worker = async () => {
    for (let copy = left.pop(); copy !== undefined; copy = left.pop()) {
      // a delivery may fail, since the dispatcher delivers the event as well
      if (await deliver(shop, copy.name, copy.body)) taken++
    }
  }
  await Promise.all(Array.from({ length: 12 }, worker))
  must(taken > count / 2, `only ${taken} of ${count} deliveries were handled`)
  return count
}

/** Reads up to 2,000 of the stream's events since then, in the form in which reactions get them. */
export async function streamed({ shop }: Context, since: Date): Promise<{ type: string; body: string }[]> {
  const connection = await shop.connectNats()
  const from = { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() }
  const consumer = await connection.jetstream().consumers.get('zeroshop', from)
  const found: { type: string; body: string }[] = []
  for await (const message of await consumer.fetch({ max_messages: 2_000, expires: 2_000 }))
    found.push({ type: message.subject.replace('zeroshop.', ''), body: message.string() })
  await connection.close()
  return found
}

/**
 * Sends an event to a reaction as the dispatcher does. Returns whether the reaction handled it.
 * @param url another process of the reaction
 */
export async function deliver(
  { deliveryHeaders, functionUrl }: FaultShop,
  name: ReactionName,
  body: string,
  url = functionUrl(name),
): Promise<boolean> {
  const response = await fetch(url, { method: 'POST', headers: deliveryHeaders(name, body), body })
  await response.text()
  return response.ok
}

/** Writes events as a bug might: one has invalid data, and the reaction to the other always fails. */
async function poison({ shop }: Context): Promise<[invalid: string, early: string]> {
  const [invalid, early] = [uuidv7(), uuidv7()]
  const nobodys = { orderId: 'nobody’s', reason: 'poison' }
  const unpaid = { orderId: uuidv7() }
  await shop.sql(
    (sql) => sql`insert into events.outbox (id, type, source, subject, data, awaits) values
      (${invalid}, 'order.cancelled', '/orders', 'poison', ${sql.json(nobodys)}, ${reactionsOn('order.cancelled')}),
      (${early}, 'order.shipped', '/orders', 'poison', ${sql.json(unpaid)}, ${['capture-payment']})`,
  )
  return [invalid, early]
}

/** Fixes and replays the invalid event, and drops the other. */
async function mend({ shop }: Context, id: string, early: string) {
  const db = openPostgres(shop.urlOf('postgres'))
  const parked = async (id: string) =>
    (await listDeadLetters(db)).filter(({ eventId }) => eventId === id).length
  const reactions = reactionsOn('order.cancelled').length
  await until('the invalid event is parked', async () => (await parked(id)) === reactions, 60_000)
  await until('the event that cannot be handled is parked', async () => (await parked(early)) === 1, 60_000)
  await dropDeadLetters(db, { eventId: early })
  const data = JSON.stringify({ orderId: uuidv7(), reason: 'mended' })
  await db.client`update events.failures set event = jsonb_set(event, '{data}', ${data}::text::jsonb) where event_id = ${id}`
  await replayDeadLetters(db, { eventId: id })
  const left = () => db.client`select from events.failures where event_id = ${id}`
  await until('the fixed event is handled', async () => (await left()).length === 0)
  await db.client.end()
}
