import type { IncomingHttpHeaders } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import type { Logger } from 'pino'
import { declareProblems, Problem } from '../functions/shared/http/problems.ts'
import {
  isSecurityProblem,
  logRefusedDelivery,
  type SecurityDetails,
} from '../functions/shared/http/security-log.ts'
import type { LoadedReaction } from '../functions/shared/process/entry.ts'
import { isUnavailable, reasonOf, Unavailable } from '../functions/shared/store/store-errors.ts'
import { errorType } from '../functions/shared/telemetry/telemetry.ts'
import { fromCloudEvent } from './cloud-event.ts'
import { InvalidEvent, typePrefix } from './event.ts'
import { openReaction } from './reaction.ts'
import { processing } from './spans.ts'
import type { Verifier } from './signature.ts'

/** The problems that a reaction returns to its caller, in addition to those that every function may return. */
export const deliveryProblems = declareProblems({
  'delivery-unreadable': [400, 'The delivery is neither an event nor a batch of events'],
  'delivery-not-signed': [401, 'The delivery is not signed by the dispatcher'],
  'event-not-accepted': [422, 'The reaction cannot handle this event'],
})

/** A request to a reaction. */
export interface Delivery {
  headers: IncomingHttpHeaders
  body: Buffer
  /** The address of the sender, for the log. */
  from?: string | undefined
}

interface Receiver {
  /** The dependencies of the domain's functions. */
  deps: object
  verify: Verifier
  log: Logger
}

/** The answer to a delivery. */
export interface Answer {
  status: number
  headers: Record<string, string>
  /** None if the status is 204. */
  body?: string
}

/** An event of a batch that has not been handled, with the status and the detail that it would have got alone. */
export interface NotHandled {
  id: string
  status: number
  detail: string
}

/**
 * Returns what handles deliveries to a reaction. It answers 204 when the events have been handled, and a problem if the
 * delivery is refused. The answer to an event that cannot be handled is a problem, too; that to a batch has the status
 * 200, and says which of its events have not been handled. The log says why; an answer never contains a failed query,
 * whose parameters may be a customer's data.
 */
export function openReceiver({ row, run, emits, takes }: LoadedReaction, { deps, verify, log }: Receiver) {
  const react = openReaction(run, deps, { domain: row.domain, emits })
  return async (delivery: Delivery): Promise<Answer> => {
    const received = openDelivery(verify, delivery)
    if (received instanceof Problem) {
      const from = { address: delivery.from ?? 'unknown', operation: row.name, reason: received.message }
      logRefused(received, from, log)
      return answerOf(received)
    }
    if (!Array.isArray(received)) return answerOf(await handle(received, true))
    const problems = await Promise.all(received.map((each) => handle(each, received.length === 1)))
    const notHandled = received.flatMap(({ id }, i): NotHandled[] => {
      const problem = problems[i]
      return problem === undefined ? [] : [{ id, status: problem.status, detail: problem.message }]
    })
    return notHandled.length === 0 ? answerOf(undefined) : json(200, notHandled)
  }

  function handle(received: CloudEventV1<unknown>, isAlone: boolean): Promise<Problem | undefined> {
    const type = row.on.find((type) => received.type === typePrefix + type)
    return processing({ reaction: row.name, type, received, isAlone }, async (traceparent, failed) => {
      try {
        await react({ ...fromCloudEvent(received, takes), ...(traceparent !== undefined && { traceparent }) })
        return undefined
      } catch (error) {
        const { id, type, subject } = received
        log.warn({ err: error, event: id, type, subject }, 'reaction failed')
        failed(errorType(error))
        return problemOf(error)
      }
    })
  }
}

const json = (status: number, body: object, headers = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** Returns the answer to a delivery with a problem, or without one. */
export const answerOf = (problem: Problem | undefined): Answer =>
  problem === undefined
    ? { status: 204, headers: {} }
    : json(problem.status, problem.toDocument(), problem.headers)

/** Logs that a delivery was refused: in the security log if it is not signed, because someone else has sent it. */
function logRefused(problem: Problem, details: SecurityDetails, log: Logger) {
  if (isSecurityProblem(problem)) logRefusedDelivery(log, problem, details)
  else log.warn(details, 'delivery refused')
}

/** The problem of a delivery whose body is larger than `max` bytes. */
export const tooLarge = (max: number) =>
  new Problem('body-too-large', { detail: `An event has at most ${max / 1024} KiB.` })

/**
 * Returns the event or the batch of a delivery, or the problem with it. The signature is checked first, on the bytes
 * that were received, so nothing else reads what an unknown sender has written. The structured and the batched mode are
 * accepted. In the binary mode, the attributes are headers, which are not signed.
 */
function openDelivery(
  verify: Verifier,
  { headers, body }: Delivery,
): CloudEventV1<unknown> | CloudEventV1<unknown>[] | Problem {
  const why = verify(headers, body)
  if (why !== undefined)
    return new Problem(deliveryProblems['delivery-not-signed'], {
      detail: `${why}. A reaction accepts what the dispatcher has signed in the last five minutes.`,
      // RFC 9110, 15.5.2 requires a challenge
      headers: { 'www-authenticate': 'Standard-Webhooks' },
    })
  const type = headers['content-type'] ?? ''
  const isBatch = batched.test(type)
  if (!(isBatch || structured.test(type)) || Object.keys(headers).some((name) => name.startsWith('ce-')))
    return unreadable(
      'Send it as application/cloudevents+json or application/cloudevents-batch+json, without ce- headers, which are not signed.',
    )
  const content = parse(body)
  if (!isBatch) return isEvent(content) ? content : unreadable('The body is not a JSON object.')
  return Array.isArray(content) && content.every(isEvent)
    ? content
    : unreadable('The body is not an array of JSON objects.')
}

const structured = /^application\/cloudevents\+json\b/i
const batched = /^application\/cloudevents-batch\+json\b/i

/** Returns undefined if it is not JSON. */
function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** Whether it may be an event; fromCloudEvent checks the attributes. */
const isEvent = (content: unknown): content is CloudEventV1<unknown> =>
  typeof content === 'object' && content !== null && !Array.isArray(content)

const unreadable = (detail: string) => new Problem(deliveryProblems['delivery-unreadable'], { detail })

/**
 * Returns the problem of a reaction that has failed: 503 if something that it needs cannot be reached, 422 if it can
 * never handle the event, and 500 otherwise.
 */
function problemOf(error: unknown): Problem {
  if (error instanceof InvalidEvent)
    return new Problem(deliveryProblems['event-not-accepted'], { detail: error.message })
  if (!isUnavailable(error))
    return new Problem('internal-error', { detail: 'The reaction failed. Its log says why.' })
  const detail = error instanceof Unavailable ? error.message : reasonOf(error).reason
  return new Problem('store-unavailable', { detail })
}
