import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { and, asc, eq, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { ConsumerMessages, JsMsg } from 'nats'
import type { Logger } from 'pino'
import * as z from 'zod'
import type { Db } from '../functions/shared/store/postgres.ts'
import { errorCode } from '../functions/shared/store/store-errors.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { errorType, telemetry, type Span } from '../functions/shared/telemetry/telemetry.ts'
import { traceparentOf } from '../functions/shared/http/trace-context.ts'
import { typeOf } from './cloud-event.ts'
import { consumers as reactions } from './consumers.table.ts'
import { encodedType } from './encode.ts'
import { gathering, type Patience } from './gather.ts'
import { ackWaitMs, type Broker } from './jetstream.ts'
import { Loop } from './loop.ts'
import { post } from '../functions/shared/http/client.ts'
import type { NotHandled } from './receive.ts'
import type { Signature } from './signature.ts'
import { delivering } from './spans.ts'
import { failures, inbox } from './tables.ts'
import { createWaker } from './wake.ts'

export interface DispatcherOptions {
  /** Connected with the role `events`. */
  db: Db
  broker: Broker
  /** Returns the URL of a reaction. */
  url: (name: string) => string
  /** Signs a delivery to a domain. */
  sign: (domain: string, id: string, body: Uint8Array) => Signature
  /**
   * The pauses between attempts, in ms. After the last attempt, the event is parked. If the reaction returns
   * 503, refuses the signature or cannot be reached, the dispatcher retries as long as that lasts, at the last
   * but one of these intervals.
   */
  retryDelaysMs?: number[]
  /**
   * How long no event may come for a patient reaction that is probably scaled to zero until it is started, in ms: longer
   * than the others take to start, so that it does not compete with them. An event waits twice as long at most, which
   * must be less than `ackWaitMs`.
   */
  coldPatienceMs?: number
  /** How often to look for due retries, in ms. */
  pollMs?: number
  log: Logger
}

/** How long a reaction may take to answer, in ms: less than JetStream waits for the acknowledgement. */
const deliveryMs = ackWaitMs - 2_000
/** What a delivery contains at most. A reaction accepts 1 MiB. */
const batchOf = { max: 32, maxBytes: 256 * 1024 }
/** How long an event waits for others while a delivery to its reaction is under way, in ms. */
const gatherMs = 50
/** How long events wait for others whose reaction is patient. */
const patient: Patience = { quietMs: 100, waitMs: 1_000 }
/** The maximum number of concurrent retries. */
const retriesAtOnce = 100

export const defaultRetryDelaysMs = [1, 5, 30, 120, 600].map((seconds) => seconds * 1000)

/**
 * Starts to deliver events to reactions, as CloudEvents over HTTP: one in structured mode, several in batched mode. Each
 * reaction has its own durable consumer. A message is acknowledged when the reaction has handled it or its failure is
 * stored.
 * @returns `stop`, which finishes the deliveries that are under way
 */
export function startDispatcher(options: DispatcherOptions): { stop(): Promise<void> } {
  const { db, broker, url, sign, pollMs = 500, log } = options
  const { retryDelaysMs = defaultRetryDelaysMs, coldPatienceMs = patient.quietMs } = options
  const cold: Patience = { quietMs: coldPatienceMs, waitMs: Math.max(2 * coldPatienceMs, patient.waitMs) }
  const stopping = new AbortController()
  const open = new Set<ConsumerMessages>()
  const inFlight = new Set<Promise<void>>()
  const finishing: (() => void)[] = []
  const waker = createWaker(url, stopping.signal)
  let retrying = 0
  const consumers = Object.keys(reactions).map(consume)
  const retries = new Loop('retry', pollMs, retryDue, log)
  return {
    async stop() {
      stopping.abort()
      await Promise.all([retries.stop(), ...[...open].map((messages) => messages.close())])
      await Promise.all(consumers)
      for (const finish of finishing) finish()
      await Promise.all(inFlight)
    },
  }

  /** Consumes a reaction's messages until stopped. If the broker loses the consumer, it is recreated. */
  async function consume(name: string) {
    const { isPatient } = reactions[name]!
    const { add, finish } = gathering((taken: Taken[]) => deliverAll(name, taken), {
      ...batchOf,
      size: ({ event }) => event.bytes.length,
      waitMs: gatherMs,
      patience: isPatient ? () => (waker.isFresh(name) ? patient : cold) : undefined,
    })
    finishing.push(finish)
    while (!stopping.signal.aborted) {
      let messages: ConsumerMessages | undefined
      try {
        messages = await broker.consume(name)
        open.add(messages)
        // if stopped meanwhile, only this closes it; not awaited, because it ends only with the loop below
        if (stopping.signal.aborted) void messages.close()
        for await (const message of messages) {
          const event = read(message)
          if (event !== undefined) void track(add({ event, message }))
        }
      } catch (error) {
        if (stopping.signal.aborted) return
        log.error({ err: error, reaction: name }, 'consumer lost; recreating it')
      } finally {
        if (messages !== undefined) open.delete(messages)
      }
      await pause(250, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  /** Makes `stop` wait for the work. */
  function track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => inFlight.delete(tracked))
    inFlight.add(tracked)
    return tracked
  }

  /** Returns the event of a message. What is not an event is dropped. */
  function read(message: JsMsg): Encoded | undefined {
    try {
      return decode(message.data)
    } catch (error) {
      // no relay publishes such a message, and a retry would fail too
      log.error({ err: error, subject: message.subject }, 'dropped a message that is not an event')
      message.term('not a CloudEvent')
      return undefined
    }
  }

  async function deliverAll(name: string, taken: Taken[]) {
    const stored = await attempt(
      name,
      taken.map(({ event }) => event),
    )
    taken.forEach(({ message }, i) => {
      if (stored[i] === true) message.ack()
      // neither handled nor stored, so JetStream delivers it again
      else message.nak(1_000)
    })
  }

  /**
   * Delivers events once. A failure is stored for a retry, or parked after the last attempt. If a delivery of several
   * fails as a whole, each is delivered alone, because one of them may be to blame.
   * @returns for each whether its result is stored
   */
  async function attempt(
    name: string,
    events: readonly Encoded[],
    { isRetry = false } = {},
  ): Promise<boolean[]> {
    const spans = events.map((event) => delivering(name, event, events.length))
    const results = await deliver(name, events, spans).catch((error: unknown) => error)
    if (!(results instanceof Map) && events.length > 1 && !isPassing(results) && !isTimeout(results)) {
      for (const span of spans) span?.end(failureOf(results))
      return (await Promise.all(events.map((event) => attempt(name, [event])))).flat()
    }
    if (isRetry) telemetry()?.add('zeroshop.retries', events.length, { reaction: name })
    const failureOfEach = events.map(({ id }): unknown =>
      results instanceof Map ? results.get(id) : results,
    )
    const recording = reactions[name]!.isRecorded
      ? record(
          name,
          events.flatMap(({ id }, i) => (failureOfEach[i] === undefined ? id : [])),
        )
      : undefined
    return Promise.all(
      events.map(async (event, i) => {
        const failure = failureOfEach[i]
        try {
          const outcome = failure === undefined ? 'handled' : await storeFailure(name, event, failure)
          if (outcome === 'handled') {
            await recording
            if (isRetry) await db.delete(failures).where(isFailure(name, event.id))
          }
          telemetry()?.add('zeroshop.deliveries', 1, { reaction: name, outcome })
          return true
        } catch (error) {
          log.warn({ err: error, reaction: name }, 'cannot store the result of a delivery')
          return false
        } finally {
          spans[i]?.end(failure === undefined ? undefined : failureOf(failure))
        }
      }),
    )
  }

  /**
   * Posts events to a reaction.
   * @param spans the spans of the deliveries; the request belongs to the first
   * @returns why events were not handled, by their ids
   * @throws if the reaction does not return success in time
   */
  async function deliver(
    name: string,
    events: readonly Encoded[],
    spans: readonly (Span | undefined)[],
  ): Promise<Map<string, Refused>> {
    const traceparent = spans[0]?.traceparent
    for (const type of new Set(events.map((event) => event.type)))
      waker.wakeAfter(type, spans[events.findIndex((event) => event.type === type)]?.traceparent)
    const { id, type, bytes } = contentOf(events)
    const { status, answer } = await post(url(name), {
      headers: {
        'content-type': type,
        ...sign(reactions[name]!.domain, id, bytes),
        ...(traceparent !== undefined && { traceparent }),
      },
      body: bytes,
      timeoutMs: deliveryMs,
    })
    if (status >= 300) throw new Refused(status, detailOf(answer))
    waker.asked(name)
    const notHandled = events.length > 1 && status === 200 ? (JSON.parse(answer) as NotHandled[]) : []
    return new Map(notHandled.map(({ id, status, detail }) => [id, new Refused(status, detail)]))
  }

  /** Records that a reaction has handled events. If that fails, they are delivered again. */
  async function record(name: string, ids: readonly string[]) {
    const rows = ids.map((eventId) => ({ reaction: name, eventId }))
    if (rows.length > 0) await db.insert(inbox).values(rows).onConflictDoNothing()
  }

  /** Returns what becomes of the event. */
  async function storeFailure(
    name: string,
    event: Encoded,
    error: unknown,
  ): Promise<'retried' | 'parked' | undefined> {
    const reason = describe(error)
    // with 422 the reaction says that it can never handle the event
    const isFinal = error instanceof Refused && error.status === 422
    const passes = isPassing(error)
    const stored = await transaction(db, async (tx) => {
      // the row counts the attempts, so that a second copy of the event does not restart the count
      const [row] = await tx
        .insert(failures)
        .values({ reaction: name, eventId: event.id, event: parse(event.bytes), attempts: 1, error: reason })
        .onConflictDoUpdate({
          target: [failures.eventId, failures.reaction],
          set: {
            // temporary failures never use up the last attempt
            attempts: passes
              ? sql`least(${failures.attempts} + 1, ${Math.max(1, retryDelaysMs.length - 1)}::int)`
              : sql`${failures.attempts} + 1`,
            error: reason,
            at: sql`now()`,
          },
          setWhere: isNull(failures.parkedAt),
        })
        .returning({ attempts: failures.attempts })
      if (row === undefined) return undefined
      const delay = isFinal ? undefined : retryDelaysMs[row.attempts - 1]
      const next =
        delay === undefined ? parked : { nextAt: sql`now() + ${delay / 1000} * interval '1 second'` }
      await tx.update(failures).set(next).where(isFailure(name, event.id))
      return { attempts: row.attempts, parked: delay === undefined }
    })
    // another copy of the event was parked before
    if (stored === undefined) return undefined
    const told = { reaction: name, event: event.id, type: event.type, attempts: stored.attempts, reason }
    // logged as errors if someone has to act
    if (stored.parked) log.error(told, 'parked as a dead letter: see npm run dead-letters')
    else if (passes && stored.attempts >= retryDelaysMs.length - 1)
      log.error(told, 'unavailable for a long time; will retry')
    else log.warn(told, 'delivery failed; will retry')
    return stored.parked ? 'parked' : 'retried'
  }

  /**
   * Starts the retries that are due and returns how many. A lease prevents other dispatchers from starting
   * them too.
   */
  async function retryDue(): Promise<number> {
    const room = retriesAtOnce - retrying
    if (room <= 0) return 0
    const due = db
      .select({ eventId: failures.eventId, reaction: failures.reaction })
      .from(failures)
      .where(lte(failures.nextAt, sql`now()`))
      .orderBy(asc(failures.nextAt))
      .limit(room)
      .for('update', { skipLocked: true })
    const leased = await db
      .update(failures)
      .set({ nextAt: sql`now() + ${(2 * ackWaitMs) / 1000} * interval '1 second'` })
      .where(inArray(sql`(${failures.eventId}, ${failures.reaction})`, due))
      .returning()
    for (const row of leased) {
      retrying++
      // not awaited, so that a slow reaction does not delay the retries of others
      void track(retry(row)).finally(() => retrying--)
    }
    return leased.length
  }

  /** If the result cannot be stored, the retry is due again when its lease ends. */
  async function retry({ reaction, eventId, event }: typeof failures.$inferSelect) {
    try {
      if (!Object.hasOwn(reactions, reaction)) throw new Error(`there is no reaction ${reaction}`)
      await attempt(reaction, [decode(Buffer.from(JSON.stringify(event)))], { isRetry: true })
    } catch (error) {
      // an earlier version had the reaction, or somebody has changed the event: the next retry would fail, too
      await park(reaction, eventId, error)
    }
  }

  async function park(reaction: string, eventId: string, error: unknown) {
    const reason = describe(error)
    log.error({ reaction, event: eventId, reason }, 'parked as a dead letter: see npm run dead-letters')
    try {
      await db
        .update(failures)
        .set({ ...parked, error: reason })
        .where(isFailure(reaction, eventId))
    } catch (error) {
      log.warn({ err: error, reaction }, 'cannot store the result of a delivery')
    }
  }
}

const isFailure = (name: string, eventId: string) =>
  and(eq(failures.eventId, eventId), eq(failures.reaction, name))

/** What is set in a failure that is not retried by itself any more. */
const parked = { nextAt: null, parkedAt: sql`now()` }

/** A CloudEvent in JSON. It is passed on as it was emitted. */
interface Encoded {
  id: string
  type: string
  traceparent: string | undefined
  bytes: Uint8Array
}

/** An event with its message. */
interface Taken {
  event: Encoded
  message: JsMsg
}

/** Returns the content of a delivery: an event, or a batch as the HTTP binding of CloudEvents specifies it. */
function contentOf(events: readonly Encoded[]) {
  const [first] = events
  if (events.length === 1) return { id: first!.id, type: encodedType, bytes: first!.bytes }
  const parts = events.flatMap(({ bytes }, i) => [i === 0 ? opening : comma, bytes])
  return {
    id: randomUUID(),
    type: 'application/cloudevents-batch+json; charset=utf-8',
    bytes: Buffer.concat([...parts, closing]),
  }
}

const [opening, comma, closing] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]

/** What the dispatcher reads of an event. The reaction checks the rest. */
const Envelope = z.object({ id: z.uuid(), type: z.string(), traceparent: z.unknown().optional() })

/** @throws if the bytes are not a CloudEvent of the shop, with a UUID as its id */
function decode(bytes: Uint8Array): Encoded {
  const { id, type, traceparent } = Envelope.parse(parse(bytes))
  return { id, type: typeOf(type), traceparent: traceparentOf(traceparent), bytes }
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())

/** Thrown if a reaction returns a status other than success. */
class Refused extends Error {
  readonly status: number
  constructor(status: number, detail: string) {
    super(`${status} ${detail.slice(0, 500)}`)
    this.status = status
  }
}

/** Returns why a delivery failed, for its span: the reaction's status, or the class of the error. */
const failureOf = (error: unknown) => (error instanceof Refused ? String(error.status) : errorType(error))

/** Returns the detail of a problem document, or any other answer as it is. */
function detailOf(answer: string): string {
  try {
    const { detail, title } = JSON.parse(answer) as { detail?: string; title?: string }
    return detail ?? title ?? answer
  } catch {
    return answer
  }
}

/** Whether the failure is no fault of the event. With 401, the keys or the clocks differ. */
const isPassing = (error: unknown) =>
  (error instanceof Refused && [401, 503].includes(error.status)) || cannotConnect(error)

/** Whether the reaction did not answer in time. A batch is not split then, because there is no time left: it is retried. */
const isTimeout = (error: unknown) => error instanceof Error && error.name === 'TimeoutError'

/** Returns whether no connection was made, so that the reaction cannot have received the event. */
const cannotConnect = (error: unknown) =>
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/.test(errorCode(error) ?? '')

/** An error about several addresses has no message of its own. */
const describe = (error: unknown) =>
  error instanceof Error ? error.message || (errorCode(error) ?? error.name) : String(error)
