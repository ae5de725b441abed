import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'nats'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { listDeadLetters, replayDeadLetters } from '../../../events/dead-letters.ts'
import { reactionsOn } from '../../../functions/functions.ts'
import { openPostgres } from '../../../functions/shared/postgres.ts'
import { must, type Context, type Fault } from '../fault.ts'

/** However often and in whatever order an event is delivered, it has one effect; what nobody can take harms no other. */
export const deliveries: Fault = {
  name: 'deliveries',
  title:
    'Every message one to five times, in shuffled order; a poison message among good ones, mended and replayed',
  async run(context) {
    const { traffic, say, injected } = context
    const busy = traffic.run()
    await pause(5_000)
    const poisoned = await poison(context)
    const copies = await deliverAgain(context)
    injected(copies + 1)
    await busy.stop()
    await mend(context, poisoned)
    say(`${copies} deliveries more than the dispatcher’s`)
  },
}

/** Sends what the stream holds to the reactions once more, up to four times, while the dispatcher is at work. */
async function deliverAgain({ shop, random }: Context): Promise<number> {
  const connection = await connect({ servers: new URL(shop.links.nats.url).host })
  const js = connection.jetstream()
  const consumer = await js.consumers.get('zeroshop')
  const messages = await consumer.fetch({ max_messages: 2_000, expires: 2_000 })
  const copies: { url: string; body: string }[] = []
  for await (const message of messages) {
    const type = message.subject.replace('zeroshop.', '')
    for (const name of reactionsOn(type))
      for (let n = random.below(5); n > 0; n--)
        copies.push({ url: shop.functionUrl(name), body: message.string() })
  }
  await connection.close()
  const left = random.shuffle(copies)
  let taken = 0
  const worker = async () => {
    for (let copy = left.pop(); copy !== undefined; copy = left.pop()) {
      const { url, body } = copy
      const headers = { 'content-type': 'application/cloudevents+json' }
      const response = await fetch(url, { method: 'POST', headers, body })
      await response.text()
      // an error is an answer, too: the dispatcher delivers it as well
      if (response.ok) taken++
    }
  }
  await Promise.all(Array.from({ length: 12 }, worker))
  must(taken > copies.length / 2, `only ${taken} of ${copies.length} deliveries were taken`)
  return copies.length
}

/** An event that fits no catalogue, as a bug might write it. */
async function poison({ shop }: Context): Promise<string> {
  const sql = postgres(shop.database.get('postgres')!.url, { max: 1, onnotice: () => {} })
  const id = uuidv7()
  await sql`insert into events.outbox (id, type, source, subject, data, awaits) values
    (${id}, 'order.cancelled', '/orders', 'poison', ${sql.json({ orderId: 'nobody’s', reason: 'poison' })}, ${['release-stock', 'void-payment']})`
  await sql.end()
  return id
}

async function mend({ shop }: Context, id: string) {
  const db = openPostgres(shop.database.get('postgres')!.url)
  const parked = async () => (await listDeadLetters(db)).filter(({ eventId }) => eventId === id).length
  for (let tries = 0; (await parked()) < 2; tries++) {
    must(tries < 200, 'the poison message was not parked')
    await pause(100)
  }
  const data = JSON.stringify({ orderId: uuidv7(), reason: 'mended' })
  await db.client`update events.failures set event = jsonb_set(event, '{data}', ${data}::text::jsonb) where event_id = ${id}`
  await replayDeadLetters(db, { eventId: id })
  for (let tries = 0; ; tries++) {
    const left = await db.client<{ reaction: string; error: string; event: unknown }[]>`
      select reaction, error, event from events.failures where event_id = ${id}`
    if (left.length === 0) break
    must(tries < 300, `the mended message was not taken: ${JSON.stringify(left)}`)
    await pause(100)
  }
  await db.client.end()
}
