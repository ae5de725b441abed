import { setTimeout as pause } from 'node:timers/promises'
import { connect, DeliverPolicy } from 'nats'
import { uuidv7 } from 'uuidv7'
import { dropDeadLetters, listDeadLetters, replayDeadLetters } from '../../../events/dead-letters.ts'
import { reactionsOn } from '../../../functions/table.ts'
import { openPostgres } from '../../../functions/shared/store/postgres.ts'
import { must, until, type Context, type Fault } from '../fault.ts'

/** Often enough that copies overtake first deliveries, and come while those are under way. */
const rounds = 5
const mostCopies = 120

/** However often and in whatever order an event is delivered, it has one effect; what nobody can take harms no other. */
export const deliveries: Fault = {
  name: 'deliveries',
  title:
    'Messages delivered up to four times more, in shuffled order; poison messages among good ones, one mended and replayed, one dropped',
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
    say(`${copies} deliveries more than the dispatcher’s`)
  },
}

/** Sends what has come into the stream since then to the reactions once more, up to four times, while the dispatcher is at work. */
async function deliverAgain(context: Context, since: Date): Promise<number> {
  const { shop, random } = context
  const copies: { url: string; body: string }[] = []
  for (const { type, body } of await streamed(context, since))
    for (const name of reactionsOn(type))
      for (let n = random.below(5); n > 0; n--) copies.push({ url: shop.functionUrl(name), body })
  const left = random.shuffle(copies).slice(0, mostCopies)
  const count = left.length
  let taken = 0
  const worker = async () => {
    for (let copy = left.pop(); copy !== undefined; copy = left.pop()) {
      // an error is an answer, too: the dispatcher delivers it as well
      if (await deliver(copy.url, copy.body)) taken++
    }
  }
  await Promise.all(Array.from({ length: 12 }, worker))
  must(taken > count / 2, `only ${taken} of ${count} deliveries were taken`)
  return count
}

/** What the stream holds since then, or the first of it: each event as it is sent to reactions. */
export async function streamed({ shop }: Context, since: Date): Promise<{ type: string; body: string }[]> {
  const connection = await connect({ servers: new URL(shop.links.nats.url).host })
  const from = { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() }
  const consumer = await connection.jetstream().consumers.get('zeroshop', from)
  const found: { type: string; body: string }[] = []
  for await (const message of await consumer.fetch({ max_messages: 2_000, expires: 2_000 }))
    found.push({ type: message.subject.replace('zeroshop.', ''), body: message.string() })
  await connection.close()
  return found
}

/** Sends an event to a reaction as the dispatcher does; tells whether it was taken. */
export async function deliver(url: string, body: string): Promise<boolean> {
  const headers = { 'content-type': 'application/cloudevents+json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  await response.text()
  return response.ok
}

/** Events as a bug might write them: one that fits no catalogue, and one that its reaction cannot do, however often it tries. */
async function poison({ shop }: Context): Promise<[invalid: string, early: string]> {
  const [invalid, early] = [uuidv7(), uuidv7()]
  const nobodys = { orderId: 'nobody’s', reason: 'poison' }
  const unpaid = { orderId: uuidv7() }
  await shop.sql(
    (sql) => sql`insert into events.outbox (id, type, source, subject, data, awaits) values
      (${invalid}, 'order.cancelled', '/orders', 'poison', ${sql.json(nobodys)}, ${['release-stock', 'void-payment']}),
      (${early}, 'order.shipped', '/orders', 'poison', ${sql.json(unpaid)}, ${['capture-payment']})`,
  )
  return [invalid, early]
}

/** Someone puts the one right and has it replayed, and drops the other. */
async function mend({ shop }: Context, id: string, early: string) {
  const db = openPostgres(shop.urlOf('postgres'))
  const parked = async (id: string) =>
    (await listDeadLetters(db)).filter(({ eventId }) => eventId === id).length
  await until('the invalid event is parked', async () => (await parked(id)) === 2)
  await until('the event that cannot be done is parked', async () => (await parked(early)) === 1, 60_000)
  await dropDeadLetters(db, { eventId: early })
  const data = JSON.stringify({ orderId: uuidv7(), reason: 'mended' })
  await db.client`update events.failures set event = jsonb_set(event, '{data}', ${data}::text::jsonb) where event_id = ${id}`
  await replayDeadLetters(db, { eventId: id })
  const left = () => db.client`select from events.failures where event_id = ${id}`
  await until('the mended event is taken', async () => (await left()).length === 0)
  await db.client.end()
}
