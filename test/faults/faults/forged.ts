import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { connect } from 'nats'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { sourceOf } from '../../../events/event.ts'
import { newKey } from '../../../events/signature.ts'
import { domainsIn, events, reactions, reactionsOn, type ReactionName } from '../../../functions/table.ts'
import { errorCode } from '../../../functions/shared/store/store-errors.ts'
import { deliveryHeaders } from '../../deliveries.ts'
import { must, tally, type Context, type Fault } from '../fault.ts'
import { streamed } from './deliveries.ts'

/** How many real events of each type are used as models. */
const modelsOfType = 4
const insufficientPrivilege = '42501'

/** Whoever reaches a reaction, a store or the broker without the right to emit an event cannot make one happen. */
export const forged: Fault = {
  name: 'forged',
  title:
    'Copies of real events sent to each reaction, not signed and with the key of another; events and inbox rows written with each domain’s role in the name of others; the broker and MongoDB without a password',
  async run(context) {
    const { traffic, injected, say } = context
    const busy = traffic.run({ pauseMs: 200 })
    await pause(6_000)
    const deliveries = await forgeDeliveries(context)
    const rows = await forgeRows(context)
    await refuseStrangers(context)
    await busy.stop()
    injected(deliveries.count + rows + 2)
    say(`${deliveries.count} deliveries to ${deliveries.reactions} reactions and ${rows} rows refused`)
  },
}

/** Sends copies of events, as if they were new, to their reactions. Each must be refused. */
async function forgeDeliveries(context: Context) {
  const { shop, random } = context
  const byType = Map.groupBy(random.shuffle(await streamed(context, new Date(0))), ({ type }) => type)
  const models = [...byType.values()].flatMap((events) => events.slice(0, modelsOfType))
  const statuses: number[] = []
  const reached = new Set<ReactionName>()
  for (const { type, body } of models) {
    // with its own id, the reaction would take it for one that it has handled
    const copy = JSON.stringify({ ...(JSON.parse(body) as object), id: uuidv7() })
    const { 'content-type': unsigned, ...signature } = deliveryHeaders(copy, newKey())
    const kinds = [{}, signature].map((more) => ({ 'content-type': unsigned!, ...more }))
    for (const name of reactionsOn(type)) {
      reached.add(name)
      for (const headers of kinds) {
        const response = await fetch(shop.functionUrl(name), { method: 'POST', headers, body: copy })
        await response.text()
        statuses.push(response.status)
      }
    }
  }
  const others = statuses.filter((status) => status !== 401)
  must(statuses.length > 100, `only ${statuses.length} events were forged`)
  must(others.length === 0, `forged deliveries were answered with ${JSON.stringify(tally(others))}`)
  return { count: statuses.length, reactions: reached.size }
}

/** Writes events and inbox rows of other domains with each domain's role. Each must be refused. */
async function forgeRows({ shop }: Context): Promise<number> {
  let refused = 0
  for (const role of domainsIn('postgres')) {
    const sql = postgres(shop.databaseOf(role), { max: 1 })
    const mustRefuse = async (what: string, statement: postgres.PendingQuery<postgres.Row[]>) => {
      const code = await statement.then(
        () => 'nothing',
        (error: unknown) => errorCode(error),
      )
      must(code === insufficientPrivilege, `${role} writes ${what}: refused with ${code}`)
      refused++
    }
    for (const [type, { domain }] of Object.entries(events))
      for (const source of [domain, role].filter((source) => source !== role || domain !== role))
        await mustRefuse(
          `${type} from ${source}`,
          sql`insert into events.outbox (id, type, source, subject, data)
            values (${uuidv7()}, ${type}, ${sourceOf(source)}, 'forged', '{}')`,
        )
    for (const [reaction, { domain }] of Object.entries(reactions))
      if (domain !== role)
        await mustRefuse(
          `an inbox row of ${reaction}`,
          sql`insert into events.inbox (reaction, event_id) values (${reaction}, ${uuidv7()})`,
        )
    await sql.end()
  }
  return refused
}

/** Talks to the broker and to MongoDB without a password. */
async function refuseStrangers({ shop }: Context) {
  const answer = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'accepted',
      (error: Error) => error.message,
    )
  const { host } = new URL(shop.urlOf('nats'))
  const broker = await answer(connect({ servers: host, reconnect: false }))
  must(/Authorization/i.test(broker), `the broker says ${broker} to somebody without a password`)
  const mongo = new MongoClient(`mongodb://${new URL(shop.urlOf('mongodb')).host}/?directConnection=true`)
  const store = await answer(mongo.db('products').collection('products').findOne())
  await mongo.close()
  must(/authenticat/i.test(store), `MongoDB says ${store} to somebody without a password`)
}
