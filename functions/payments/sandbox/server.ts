import { hash, timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { routePath } from 'hono/route'
import * as z from 'zod'
import { observedServer } from '../../shared/process/serve.ts'
import { telemetry } from '../../shared/telemetry/telemetry.ts'
import { cardOf, type Card } from './cards.ts'
import { openJournal } from './journal.ts'
import { Sandbox, toAnswer, type Entry } from './sandbox.ts'
import { openWebhooks, type WebhookOptions } from './webhooks.ts'

const word = z.string().regex(/^[\u0021-\u007e]{1,100}$/, '1 to 100 visible ASCII characters')
const minorUnits = z.int().min(1).max(1_000_000_000)
const NewAuthorization = z.strictObject({
  reference: word,
  cardToken: word,
  amount: z.strictObject({ amount: minorUnits, currency: z.string().regex(/^[A-Z]{3}$/) }),
})
/** The body of an operation on a payment. */
const bodies = {
  capture: z.strictObject({ amount: minorUnits.optional() }),
  void: z.strictObject({}),
  refund: z.strictObject({ amount: minorUnits }),
}

export interface SandboxOptions {
  /** If 0, a free port is chosen. */
  port: number
  host: string | undefined
  /** The path of the journal. */
  journal: string
  apiKey: string
  /** Where changes are told; nowhere if it is undefined. */
  webhooks?: WebhookOptions | undefined
  /** How long `card_slow` takes to answer and how long `card_timeout` stays silent, in ms. */
  slowMs?: number
  silentMs?: number
  /** Called if the journal cannot be written; the sandbox must then be restarted. */
  onBroken?: (error: unknown) => void
}

class Fault extends Error {
  readonly status: 400 | 401 | 404 | 422 | 503
  readonly title: string
  constructor(status: Fault['status'], title: string, detail: string) {
    super(detail)
    this.status = status
    this.title = title
  }
}

/**
 * Starts the payment sandbox. It answers a request only after the decision is on the disk.
 * @returns the port, and `close`, which finishes open requests and then stops the server
 */
export async function startSandbox(options: SandboxOptions) {
  const { entries, journal } = await openJournal(options.journal, parseEntry, options.onBroken)
  const webhooks =
    options.webhooks &&
    (await openWebhooks(options.webhooks, {
      journal: `${options.journal}.webhooks`,
      entries,
      onBroken: options.onBroken,
    }))
  const sandbox = new Sandbox(entries, (entry) => {
    journal.append(entry).then(
      () => webhooks?.send(entry),
      // a failed write is reported by the flush that each answer awaits
      () => {},
    )
  })
  const stopping = new AbortController()
  const app = new Hono<{ Bindings: HttpBindings }>()
  type C = Context<{ Bindings: HttpBindings }>

  app.onError((error, c) => {
    if (error instanceof Fault) return problem(c, error.status, error.title, error.message)
    return problem(c, 503, 'Not available', 'The sandbox cannot write its journal.')
  })
  app.notFound((c) => problem(c, 404, 'Not found', 'See docs/payment-sandbox.md for the API.'))
  for (const what of ['liveness', 'readiness']) app.get(`/health/${what}`, (c) => c.json({ status: 'ok' }))
  app.use('/v1/*', bodyLimit({ maxSize: 10 * 1024 }), async (c, next) => {
    telemetry()?.handledBy({ route: routePath(c, -1) })
    if (!isSame(c.req.header('authorization') ?? '', `Bearer ${options.apiKey}`))
      throw new Fault(401, 'Wrong API key', 'Send it as: Authorization: Bearer <key>.')
    await next()
  })

  app.post('/v1/authorizations', async (c) => {
    const { by, body } = await read(c, NewAuthorization)
    const card = cardOf(body.cardToken)
    return answerOnce(c, by, card, async () => {
      if (sandbox.turnsAway('authorize', body.reference, card)) throw turnedAway()
      if (card.slow) await pause(options.slowMs ?? 5_000)
      // another request with the same key may have been decided meanwhile
      return sandbox.byKey(by.key) ?? sandbox.authorize(body, by)
    })
  })

  for (const deed of ['capture', 'void', 'refund'] as const)
    app.post(`/v1/payments/:id/${deed === 'refund' ? 'refunds' : deed}`, async (c) => {
      const { by, body } = await read(c, bodies[deed])
      const payment = sandbox.byId(c.req.param('id'))
      if (payment === undefined) throw new Fault(404, 'Not found', 'There is no payment with this id.')
      return answerOnce(c, by, payment.card, async () => {
        if (sandbox.turnsAway(deed, payment.reference, payment.card)) throw turnedAway()
        // as it is now: another request may have been decided meanwhile
        const now = sandbox.byId(payment.id)!
        const { amount = now.amount.amount - now.captured }: { amount?: number | undefined } = body
        return sandbox.perform(now, deed, amount, by)
      })
    })

  app.get('/v1/payments', async (c) => {
    const payment = sandbox.byReference(c.req.query('reference') ?? '')
    await journal.flushed()
    return c.json({ items: payment === undefined ? [] : [toAnswer(payment)] })
  })

  app.get('/v1/journal', async (c) => {
    await journal.flushed()
    // Node and the DOM types declare the same class separately
    const lines = Readable.toWeb(journal.read()) as ReadableStream
    return c.body(lines, 200, { 'content-type': 'application/jsonl' })
  })

  /** Decides once for each key, and returns the stored answer if the key is repeated. */
  async function answerOnce(
    c: C,
    by: Pick<Entry, 'key' | 'hash'>,
    { silent }: Card,
    decide: () => Promise<Entry>,
  ) {
    const known = sandbox.byKey(by.key)
    const entry = known ?? (await decide())
    if (entry.hash !== by.hash)
      throw new Fault(422, 'Idempotency-Key reused', 'The key was used for another request.')
    await journal.flushed()
    if (known === undefined && silent) return neverAnswer(c)
    return entry.outcome === 'refused' ? refuse(c, entry) : c.json(toAnswer(entry.payment), statusOf(entry))
  }

  async function neverAnswer(c: C) {
    const { socket } = c.env.incoming
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    await pause(options.silentMs ?? 30_000, gone.signal)
    socket.destroy()
    return RESPONSE_ALREADY_SENT
  }

  /** Waits, but returns at once if the server is stopping or a signal aborts. */
  const pause = (ms: number, ...signals: AbortSignal[]) =>
    delay(ms, undefined, { signal: AbortSignal.any([stopping.signal, ...signals]) }).catch(() => {})

  const listener = getRequestListener(app.fetch)
  const server = observedServer((request, response) => void listener(request, response))
  server.on('request', (_, response) =>
    // while stopping, a keep-alive connection must not keep the server running
    response.once(
      'close',
      () => stopping.signal.aborted && setImmediate(() => server.closeIdleConnections()),
    ),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  }).catch(async (error: unknown) => {
    await webhooks?.close()
    await journal.close()
    throw error
  })
  // the server listens on TCP, so this is not a pipe's name
  const { port } = server.address() as AddressInfo
  return {
    port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      stopping.abort()
      server.closeIdleConnections()
      await closed
      await webhooks?.close()
      await journal.close()
    },
  }
}

/** Returns the validated body, and the request's Idempotency-Key and hash. */
async function read<S extends z.ZodType>(c: Context, schema: S) {
  const key = c.req.header('idempotency-key') ?? ''
  if (!word.safeParse(key).success)
    throw new Fault(400, 'Idempotency-Key missing', 'Each POST needs one: 1 to 100 visible ASCII characters.')
  const text = await c.req.text()
  const by = { key, hash: hash('sha256', `${c.req.path}\n${text}`, 'base64url') }
  const parsed = schema.safeParse(parse(text || '{}'))
  if (!parsed.success) throw new Fault(422, 'Not valid', z.prettifyError(parsed.error))
  return { by, body: parsed.data }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Fault(422, 'Not valid', 'The body is not JSON.')
  }
}

const statusOf = ({ operation }: Entry) => (operation === 'authorize' || operation === 'refund' ? 201 : 200)

const refuse = (c: Context, { refusal, payment }: Entry) =>
  problem(c, 409, 'Refused', refusal ?? '', { payment: toAnswer(payment) })

const turnedAway = () => new Fault(503, 'Not available', 'A flaky card: send it again.')

function problem(
  c: Context,
  status: Fault['status'] | 409,
  title: string,
  detail: string,
  more: object = {},
) {
  const headers = {
    'content-type': 'application/problem+json',
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  }
  return c.body(JSON.stringify({ title, status, detail, ...more }), status, headers)
}

function isSame(a: string, b: string) {
  return timingSafeEqual(digest(a), digest(b))
}

const digest = (text: string) => hash('sha256', text, 'buffer')

/** Parses a line of the journal. Earlier versions wrote the token instead of what the card does. */
function parseEntry(line: string): Entry {
  // written only by this sandbox, so not validated
  const entry = JSON.parse(line) as Entry & { payment: { cardToken?: string } }
  const { cardToken, ...payment } = entry.payment
  return cardToken === undefined ? entry : { ...entry, payment: { ...payment, card: cardOf(cardToken) } }
}
