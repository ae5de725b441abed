import { setTimeout as pause } from 'node:timers/promises'
import { and, asc, eq, inArray, isNull, lte, sql } from 'drizzle-orm'
import { CloudEvent, HTTP, type CloudEventV1 } from 'cloudevents'
import type { ConsumerMessages, JsMsg } from 'nats'
import type { Logger } from 'pino'
import * as z from 'zod'
import type { Db } from '../functions/shared/store/postgres.ts'
import { errorCode } from '../functions/shared/store/store-errors.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { typeOf } from './cloud-event.ts'
import { consumers as reactions } from './consumers.table.ts'
import { ackWaitMs, type Broker } from './jetstream.ts'
import { Loop } from './loop.ts'
import { failures } from './tables.ts'
import { createWaker } from './wake.ts'

export interface DispatcherOptions {
  /** With the role `events`. */
  db: Db
  broker: Broker
  /** The address of a reaction. */
  url: (name: string) => string
  /**
   * The pauses between attempts, in ms; after the last, the event is parked. Where the reaction only lacks something that
   * cannot be reached (503), or cannot be reached itself, it is tried again after the last pause but one for as long as
   * that lasts.
   */
  retryDelaysMs?: number[]
  /** How often due retries are looked for, in ms. */
  pollMs?: number
  log: Logger
}

/** How many due retries run at once. */
const retriesAtOnce = 100

export const defaultRetryDelaysMs = [1, 5, 30, 120, 600].map((seconds) => seconds * 1000)

/**
 * Delivers events to reactions as CloudEvents over HTTP (structured mode), each reaction from a durable
 * consumer of its own. A message is acknowledged when the reaction has taken it, or when its failure is stored.
 */
export function startDispatcher(options: DispatcherOptions): { stop(): Promise<void> } {
  const { db, broker, url, retryDelaysMs = defaultRetryDelaysMs, pollMs = 500, log } = options
  const stopping = new AbortController()
  const open = new Set<ConsumerMessages>()
  const inFlight = new Set<Promise<void>>()
  const waker = createWaker(url, stopping.signal)
  let retrying = 0
  const consumers = Object.keys(reactions).map(consume)
  const retries = new Loop('retry', pollMs, retryDue, log)
  return {
    async stop() {
      stopping.abort()
      await Promise.all([retries.stop(), ...[...open].map((messages) => messages.close())])
      await Promise.all(consumers)
      await Promise.all(inFlight)
    },
  }

  /** Runs until told to stop; where the consumer is lost with the broker's disk, it is made again. */
  async function consume(name: string) {
    while (!stopping.signal.aborted) {
      let messages: ConsumerMessages | undefined
      try {
        messages = await broker.consume(name)
        open.add(messages)
        // told to stop while it was made: nobody else closes it; its promise waits for the loop below
        if (stopping.signal.aborted) void messages.close()
        for await (const message of messages) void track(take(name, message))
      } catch (error) {
        if (stopping.signal.aborted) return
        log.error({ err: error, reaction: name }, 'consumer lost; making it again')
      } finally {
        if (messages !== undefined) open.delete(messages)
      }
      await pause(250, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  /** Has `stop` wait for it. */
  function track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => inFlight.delete(tracked))
    inFlight.add(tracked)
    return tracked
  }

  async function take(name: string, message: JsMsg) {
    let event: CloudEvent<unknown>
    try {
      event = decode(message)
    } catch (error) {
      // not ours: no relay publishes such a thing, and it would never fit
      log.error({ err: error, subject: message.subject }, 'dropped a message that is no event')
      return message.term('not a CloudEvent')
    }
    try {
      await attempt(name, event)
      message.ack()
    } catch (error) {
      // neither taken nor stored: JetStream keeps it
      log.warn({ err: error, reaction: name }, 'delivery not stored')
      message.nak(1_000)
    }
  }

  /** Delivers once; a failure is stored for a later attempt, or parked after the last. */
  async function attempt(name: string, event: CloudEvent<unknown>, { isRetry = false } = {}) {
    try {
      waker.wakeAfter(typeOf(event.type))
      await deliver(url(name), event)
      waker.asked(name)
      if (isRetry) await db.delete(failures).where(isFailure(name, event.id))
    } catch (error) {
      await storeFailure(name, event, error)
    }
  }

  async function storeFailure(name: string, event: CloudEvent<unknown>, error: unknown) {
    const reason = error instanceof Error ? describe(error) : String(error)
    // it says that it can never take the event
    const isFinal = error instanceof Refused && error.status === 422
    const isPassing = (error instanceof Refused && error.status === 503) || cannotConnect(error)
    const stored = await transaction(db, async (tx) => {
      // the count is the row's own, so that two copies of one event do not start it anew
      const [row] = await tx
        .insert(failures)
        .values({ reaction: name, eventId: event.id, event: event.toJSON(), attempts: 1, error: reason })
        .onConflictDoUpdate({
          target: [failures.eventId, failures.reaction],
          set: {
            // what only passes leaves attempts for a failure of another kind
            attempts: isPassing
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
        delay === undefined
          ? { nextAt: null, parkedAt: sql`now()` }
          : { nextAt: sql`now() + ${delay / 1000} * interval '1 second'` }
      await tx.update(failures).set(next).where(isFailure(name, event.id))
      return { attempts: row.attempts, parked: delay === undefined }
    })
    if (stored === undefined) return
    const told = { reaction: name, event: event.id, type: event.type, attempts: stored.attempts, reason }
    // someone has to look at it
    if (stored.parked) log.error(told, 'parked as a dead letter: see npm run dead-letters')
    else if (isPassing && stored.attempts >= retryDelaysMs.length - 1)
      log.error(told, 'what it needs cannot be reached for long; will be tried again')
    else log.warn(told, 'will be tried again')
  }

  /** Begins to try again what is due; a lease keeps another dispatcher from doing the same. */
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
      // not waited for: a reaction that is slow must not hold up the retries of the others
      void track(retry(row)).finally(() => retrying--)
    }
    return leased.length
  }

  /** One whose failure cannot be stored is due again when its lease ends. */
  async function retry(row: typeof failures.$inferSelect) {
    // as stored above
    const event = new CloudEvent(row.event as CloudEventV1<unknown>)
    await attempt(row.reaction, event, { isRetry: true }).catch((error: unknown) =>
      log.warn({ err: error, reaction: row.reaction }, 'delivery not stored'),
    )
  }
}

const isFailure = (name: string, eventId: string) =>
  and(eq(failures.eventId, eventId), eq(failures.reaction, name))

/** Throws where the message is not a CloudEvent whose id is one of ours. */
function decode(message: JsMsg): CloudEvent<unknown> {
  const event = HTTP.toEvent<unknown>({
    headers: { 'content-type': message.headers?.get('content-type') ?? '' },
    body: message.string(),
  })
  if (!(event instanceof CloudEvent)) throw new Error('a batch')
  z.uuid().parse(event.id)
  return event
}

/** Posts an event; throws unless the reaction answers with success within the time that JetStream waits. */
async function deliver(url: string, event: CloudEvent<unknown>) {
  const { headers, body } = HTTP.structured(event)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': String(headers['content-type']) },
    body: String(body),
    signal: AbortSignal.timeout(ackWaitMs - 2_000),
  })
  const answer = await response.text()
  if (!response.ok) throw new Refused(response.status, answer)
}

/** What a reaction answered instead of success. */
class Refused extends Error {
  readonly status: number
  constructor(status: number, answer: string) {
    super(`${status} ${answer.slice(0, 500)}`)
    this.status = status
  }
}

/** No connection was made, so the reaction has not had the event. */
const cannotConnect = (error: unknown) =>
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/.test(errorCode(error) ?? '')

const describe = (error: Error) =>
  error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
