import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { sourceOf, typePrefix } from '../../events/event.ts'
import { createSigner, createVerifier, newKey } from '../../events/signature.ts'
import { typeBase } from '../../functions/shared/http/gateway-problems.ts'
import type { ReactionRow } from '../../functions/shared/domain.ts'
import { reactionListener } from '../../functions/shared/process/serve-reaction.ts'
import { reactionOf } from '../../functions/source.ts'
import { events, reactions, type ReactionName } from '../../functions/table.ts'
import { reactionsApp } from '../../local/reactions.ts'
import { deliveryHeaders } from '../deliveries.ts'

/** What every reaction refuses, in a process of its own and with all others in one process. */

const names = Object.keys(reactions) as ReactionName[]
const types = Object.keys(events)
const on = (name: ReactionName): readonly string[] => (reactions[name] as ReactionRow).on

const [key, next] = [newKey(), newKey()]
/** The keys while they are replaced. */
const keys = [next, key]
const log = pino({ level: 'silent' })
/** No reaction may get as far as to use them. */
const deps = {}
let alone: Server
let together: Server
/** The listener of each reaction's own process. */
const listeners = new Map<string, ReturnType<typeof reactionListener>>()

beforeAll(async () => {
  const opened = { deps, ping: async () => {}, checked: Promise.resolve(), close: async () => {} }
  for (const name of names)
    listeners.set(name, reactionListener(await reactionOf(name), opened, createVerifier(keys), log))
  alone = createServer((request, response) => listeners.get(request.url!.slice(1))!(request, response))
  const app = await reactionsApp(names, { deps: () => deps, keys: () => keys, log })
  const handle = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  together = createServer((request, response) => void handle(request, response))
  for (const server of [alone, together]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
})
afterAll(() => {
  for (const server of [alone, together]) {
    server.close()
    server.closeAllConnections()
  }
})

// the framework reports errors there
beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
afterEach(() => void vi.restoreAllMocks())

interface Sent {
  headers: Record<string, string>
  body: string
}

/** An event that no reaction can read: if a delivery gets as far as that, its signature was accepted. */
const eventOf = (type: string, data: object = { no: 'data' }) =>
  JSON.stringify({
    specversion: '1.0',
    id: uuidv7(),
    type: typePrefix + type,
    source: sourceOf(events[type as keyof typeof events].domain),
    datacontenttype: 'application/json',
    data,
  })

function signed(type: string, by = key): Sent {
  const body = eventOf(type)
  return { headers: deliveryHeaders(body, by), body }
}

/** A delivery that was signed some seconds ago. */
function signedAgo(type: string, seconds: number): Sent {
  const { headers, body } = signed(type)
  const at = new Date(Date.now() - seconds * 1000)
  const signature = new Webhook(key).sign(headers['webhook-id']!, at, body)
  const time = String(Math.floor(at.getTime() / 1000))
  return { headers: { ...headers, 'webhook-timestamp': time, 'webhook-signature': signature }, body }
}

describe.each([
  ['in a process of its own', () => alone],
  ['with all others in one process', () => together],
] as const)('a reaction %s', (_, server) => {
  async function deliver(name: ReactionName, { headers, body }: Sent) {
    const { port } = server().address() as AddressInfo
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: `/${name}`, headers })
    request.end(body)
    const [response] = await once(request, 'response')
    return { status: response.statusCode, headers: response.headers, body: JSON.parse(await text(response)) }
  }

  const problem = (status: number, name: string, detail: unknown = expect.any(String)) => ({
    status,
    headers: expect.objectContaining({ 'content-type': 'application/problem+json' }),
    body: { type: typeBase + name, title: expect.any(String), status, detail },
  })
  const notSigned = (detail: string) =>
    problem(401, 'delivery-not-signed', expect.stringMatching(`^${detail}\\. A reaction accepts`))
  const unreadable = problem(
    422,
    'event-not-accepted',
    expect.stringMatching(/^dev\.zeroshop\.\S+: .*(?:Invalid|Unrecognized)/),
  )

  it.each(names)('accepts what is signed with any of its keys: %s', async (name) => {
    const [type] = on(name)
    for (const by of keys) expect(await deliver(name, signed(type!, by))).toMatchObject(unreadable)
    for (const seconds of [-290, 290])
      expect(await deliver(name, signedAgo(type!, seconds))).toMatchObject(unreadable)
  })

  it.each(names)('refuses what is not signed, forged or stale: %s', async (name) => {
    const [type] = on(name)
    const { headers, body } = signed(type!)
    const without = (header: string) => ({
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== header)),
      body,
    })
    const missing = notSigned('It needs the headers webhook-id, webhook-timestamp and webhook-signature')
    const other = notSigned('It is not signed with a key of this domain')
    const refused: [Sent, object][] = [
      [{ headers: { 'content-type': headers['content-type']! }, body }, missing],
      [without('webhook-id'), missing],
      [without('webhook-timestamp'), missing],
      [without('webhook-signature'), missing],
      [signed(type!, newKey()), other],
      [{ headers, body: eventOf(type!) }, other],
      [{ headers, body: `${body} ` }, other],
      [{ headers, body: '' }, other],
      [{ headers: { ...headers, 'webhook-id': uuidv7() }, body }, other],
      [
        {
          headers: { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) },
          body,
        },
        other,
      ],
      [{ headers: { ...headers, 'webhook-signature': 'v1,' }, body }, other],
      [
        {
          headers: { ...headers, 'webhook-signature': headers['webhook-signature']!.replace('v1', 'v1a') },
          body,
        },
        other,
      ],
      [
        { headers: { ...headers, 'webhook-timestamp': 'now' }, body },
        notSigned('Its webhook-timestamp is not a number of seconds'),
      ],
      [signedAgo(type!, 310), notSigned('It was signed too long ago')],
      [signedAgo(type!, -310), notSigned('It was signed in the future')],
    ]
    for (const [sent, answer] of refused) expect(await deliver(name, sent)).toMatchObject(answer)
    const challenge = (await deliver(name, without('webhook-id'))).headers['www-authenticate']
    expect(challenge).toBe('Standard-Webhooks')
  })

  it.each(names)('refuses types that its row does not name: %s', async (name) => {
    for (const type of types.filter((type) => !on(name).includes(type)))
      expect(await deliver(name, signed(type))).toMatchObject(
        problem(422, 'event-not-accepted', `there is no event type ${typePrefix}${type}`),
      )
  })

  it.each(names)('answers for each event of a batch: %s', async (name) => {
    const [type] = on(name)
    const ids = [uuidv7(), uuidv7()]
    const batch = (body: string): Sent => ({
      headers: {
        'content-type': 'application/cloudevents-batch+json',
        ...createSigner(keys)(uuidv7(), body),
      },
      body,
    })
    const events = ids.map((id) => ({ ...(JSON.parse(eventOf(type!)) as object), id }))
    expect(await deliver(name, batch(JSON.stringify(events)))).toMatchObject({
      status: 200,
      body: ids.map((id) => ({ id, status: 422, detail: expect.stringContaining(type!) })),
    })
    for (const body of ['{}', '[1]', '[[]]', '[null]', '[', eventOf(type!)])
      expect(await deliver(name, batch(body))).toMatchObject(problem(400, 'delivery-unreadable'))
    const unsigned = { ...batch('[]'), headers: { 'content-type': 'application/cloudevents-batch+json' } }
    expect(await deliver(name, unsigned)).toMatchObject(problem(401, 'delivery-not-signed'))
  })

  it.each(names)('refuses attributes in headers, which are not signed: %s', async (name) => {
    const [type] = on(name)
    const { headers, body } = signed(type!)
    const refusal = problem(400, 'delivery-unreadable')
    const ce = { 'ce-specversion': '1.0', 'ce-id': uuidv7(), 'ce-source': '/x', 'ce-type': typePrefix + type }
    for (const more of [
      ce,
      { 'content-type': 'application/json' },
      { ...ce, 'content-type': 'application/json' },
    ])
      expect(await deliver(name, { headers: { ...headers, ...more }, body })).toMatchObject(refusal)
  })
})
