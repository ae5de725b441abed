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
import { fromCloudEvent } from './cloud-event.ts'
import { InvalidEvent } from './event.ts'
import { runReaction } from './reaction.ts'
import type { Verifier } from './signature.ts'

/** The problems that a reaction returns to its caller, in addition to those that every function may return. */
export const deliveryProblems = declareProblems({
  'delivery-unreadable': [400, 'The delivery is not an event in structured mode'],
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

/**
 * Runs a reaction on a delivery. Returns undefined when the event has been handled, or the problem to answer with if the
 * delivery is refused or the reaction fails. The log says why; a problem never contains a failed query, whose
 * parameters may be a customer's data.
 */
export async function receive(
  { row, run, emits, takes }: LoadedReaction,
  delivery: Delivery,
  { deps, verify, log }: Receiver,
): Promise<Problem | undefined> {
  const received = openDelivery(verify, delivery)
  if (received instanceof Problem) {
    logRefused(
      received,
      { address: delivery.from ?? 'unknown', operation: row.name, reason: received.message },
      log,
    )
    return received
  }
  try {
    await runReaction(run, fromCloudEvent(received, takes), deps, { domain: row.domain, emits })
    return undefined
  } catch (error) {
    const { id, type, subject } = received
    log.warn({ err: error, event: id, type, subject }, 'reaction failed')
    return problemOf(error)
  }
}

/** Logs that a delivery was refused: in the security log if it is not signed, because someone else has sent it. */
function logRefused(problem: Problem, details: SecurityDetails, log: Logger) {
  if (isSecurityProblem(problem)) logRefusedDelivery(log, problem, details)
  else log.warn(details, 'delivery refused')
}

/** The problem of a delivery whose body is larger than `max` bytes. */
export const tooLarge = (max: number) =>
  new Problem('body-too-large', { detail: `An event has at most ${max / 1024} KiB.` })

/**
 * Returns the event of a delivery, or the problem with it. The signature is checked first, on the bytes that were
 * received, so nothing else reads what an unknown sender has written. Only the structured mode is accepted: the
 * attributes of the binary mode are headers, which are not signed.
 */
function openDelivery(verify: Verifier, { headers, body }: Delivery): CloudEventV1<unknown> | Problem {
  const why = verify(headers, body)
  if (why !== undefined)
    return new Problem(deliveryProblems['delivery-not-signed'], {
      detail: `${why}. A reaction accepts what the dispatcher has signed in the last five minutes.`,
      // RFC 9110, 15.5.2 requires a challenge
      headers: { 'www-authenticate': 'Standard-Webhooks' },
    })
  const isStructured = /^application\/cloudevents\+json\b/i.test(headers['content-type'] ?? '')
  if (!isStructured || Object.keys(headers).some((name) => name.startsWith('ce-')))
    return unreadable('Send it as application/cloudevents+json, without ce- headers, which are not signed.')
  try {
    const event: unknown = JSON.parse(body.toString())
    // fromCloudEvent checks the attributes
    if (typeof event === 'object' && event !== null) return event as CloudEventV1<unknown>
  } catch {
    // refused below
  }
  return unreadable('The body is not a JSON object.')
}

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
