import { setTimeout as pause } from 'node:timers/promises'
import { and, asc, eq, inArray, isNull, lte, sql } from 'drizzle-orm'
import { CONSTANTS } from 'cloudevents'
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
import { post } from './post.ts'
import type { Signature } from './signature.ts'
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
  /** How often to look for due retries, in ms. */
  pollMs?: number
  log: Logger
}

/** How long a reaction may take to answer, in ms: less than JetStream waits for the acknowledgement. */
const deliveryMs = ackWaitMs - 2_000
/** The maximum number of concurrent retries. */
const retriesAtOnce = 100

export const defaultRetryDelaysMs = [1, 5, 30, 120, 600].map((seconds) => seconds * 1000)

/**
 * Starts to deliver events to reactions, as CloudEvents over HTTP in structured mode. Each reaction has its
 * own durable consumer. A message is acknowledged when the reaction has handled it or its failure is stored.
 * @returns `stop`, which finishes the deliveries that are under way
 */
export function startDispatcher(options: DispatcherOptions): { stop(): Promise<void> } {
  const { db, broker, url, sign, retryDelaysMs = defaultRetryDelaysMs, pollMs = 500, log } = options
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

  /** Consumes a reaction's messages until stopped. If the broker loses the consumer, it is recreated. */
  async function consume(name: string) {
    while (!stopping.signal.aborted) {
      let messages: ConsumerMessages | undefined
      try {
        messages = await broker.consume(name)
        open.add(messages)
        // if stopped meanwhile, only this closes it; not awaited, because it ends only with the loop below
        if (stopping.signal.aborted) void messages.close()
        for await (const message of messages) void track(take(name, message))
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

  async function take(name: string, message: JsMsg) {
    let event: Encoded
    try {
      event = decode(message.data)
    } catch (error) {
      // no relay publishes such a message, and a retry would fail too
      log.error({ err: error, subject: message.subject }, 'dropped a message that is not an event')
      return message.term('not a CloudEvent')
    }
    try {
      await attempt(name, event)
      message.ack()
    } catch (error) {
      // neither handled nor stored, so JetStream delivers it again
      log.warn({ err: error, reaction: name }, 'cannot store the result of a delivery')
      message.nak(1_000)
    }
  }

  /** Delivers once. A failure is stored for a retry, or parked after the last attempt. */
  async function attempt(name: string, event: Encoded, { isRetry = false } = {}) {
    try {
      waker.wakeAfter(event.type)
      await deliver(name, event)
      waker.asked(name)
      if (reactions[name]!.isRecorded) await record(name, event.id)
      if (isRetry) await db.delete(failures).where(isFailure(name, event.id))
    } catch (error) {
      await storeFailure(name, event, error)
    }
  }

  /**
   * Posts an event.
   * @throws if the reaction does not return success in time
   */
  async function deliver(name: string, { id, bytes }: Encoded) {
    const { status, answer } = await post(url(name), {
      headers: {
        [CONSTANTS.HEADER_CONTENT_TYPE]: CONSTANTS.DEFAULT_CE_CONTENT_TYPE,
        ...sign(reactions[name]!.domain, id, bytes),
      },
      body: bytes,
      timeoutMs: deliveryMs,
    })
    if (status >= 300) throw new Refused(status, answer)
  }

  /** Records that a reaction has handled an event. If that fails, the event is delivered again. */
  async function record(name: string, eventId: string) {
    await db.insert(inbox).values({ reaction: name, eventId }).onConflictDoNothing()
  }

  async function storeFailure(name: string, event: Encoded, error: unknown) {
    const reason = error instanceof Error ? describe(error) : String(error)
    // with 422 the reaction says that it can never handle the event
    const isFinal = error instanceof Refused && error.status === 422
    // with 401 the keys or the clocks differ, which is no fault of the event
    const isPassing = (error instanceof Refused && [401, 503].includes(error.status)) || cannotConnect(error)
    const stored = await transaction(db, async (tx) => {
      // the row counts the attempts, so that a second copy of the event does not restart the count
      const [row] = await tx
        .insert(failures)
        .values({ reaction: name, eventId: event.id, event: parse(event.bytes), attempts: 1, error: reason })
        .onConflictDoUpdate({
          target: [failures.eventId, failures.reaction],
          set: {
            // temporary failures never use up the last attempt
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
    // logged as errors if someone has to act
    if (stored.parked) log.error(told, 'parked as a dead letter: see npm run dead-letters')
    else if (isPassing && stored.attempts >= retryDelaysMs.length - 1)
      log.error(told, 'unavailable for a long time; will retry')
    else log.warn(told, 'delivery failed; will retry')
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
  async function retry(row: typeof failures.$inferSelect) {
    const event = decode(Buffer.from(JSON.stringify(row.event)))
    await attempt(row.reaction, event, { isRetry: true }).catch((error: unknown) =>
      log.warn({ err: error, reaction: row.reaction }, 'cannot store the result of a delivery'),
    )
  }
}

const isFailure = (name: string, eventId: string) =>
  and(eq(failures.eventId, eventId), eq(failures.reaction, name))

/** A CloudEvent in JSON. It is passed on as it was emitted. */
interface Encoded {
  id: string
  type: string
  bytes: Uint8Array
}

/** What the dispatcher reads of an event. The reaction checks the rest. */
const Envelope = z.object({ id: z.uuid(), type: z.string() })

/** @throws if the bytes are not a CloudEvent of the shop, with a UUID as its id */
function decode(bytes: Uint8Array): Encoded {
  const { id, type } = Envelope.parse(parse(bytes))
  return { id, type: typeOf(type), bytes }
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())

/** Thrown if a reaction returns a status other than success. */
class Refused extends Error {
  readonly status: number
  constructor(status: number, answer: string) {
    super(`${status} ${detailOf(answer).slice(0, 500)}`)
    this.status = status
  }
}

/** Returns the detail of a problem document, or any other answer as it is. */
function detailOf(answer: string): string {
  try {
    const { detail, title } = JSON.parse(answer) as { detail?: string; title?: string }
    return detail ?? title ?? answer
  } catch {
    return answer
  }
}

/** Returns whether no connection was made, so that the reaction cannot have received the event. */
const cannotConnect = (error: unknown) =>
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/.test(errorCode(error) ?? '')

/** An error about several addresses has no message of its own. */
const describe = (error: Error) => error.message || (errorCode(error) ?? error.name)
