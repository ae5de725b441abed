import type { IncomingHttpHeaders } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import {
  declareProblems,
  Problem,
  type ProblemName,
  type ProblemType,
} from '../functions/shared/http/problems.ts'
import { isUnavailable, reasonOf, Unavailable } from '../functions/shared/store/store-errors.ts'
import { InvalidEvent } from './event.ts'
import type { Verifier } from './signature.ts'

/** The problems that a reaction returns to its caller, in addition to those that every function may return. */
export const deliveryProblems = declareProblems({
  'delivery-unreadable': [400, 'The delivery is not an event in structured mode'],
  'delivery-not-signed': [401, 'The delivery is not signed by the dispatcher'],
  'event-not-accepted': [422, 'The reaction cannot handle this event'],
})

/** Thrown for a request to a reaction that is not a delivery by the dispatcher. */
export class NotADelivery extends Error {
  readonly problem: Problem

  constructor(type: ProblemName | ProblemType, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.problem = new Problem(type, { detail, headers })
  }
}

/**
 * Returns the event of a delivery. The signature is checked first, on the bytes that were received, so nothing
 * else reads what an unknown sender has written. Only the structured mode is accepted: the attributes of the
 * binary mode are headers, which are not signed.
 * @throws NotADelivery with the status 400 or 401
 */
export function openDelivery(
  verify: Verifier,
  headers: IncomingHttpHeaders,
  body: Buffer,
): CloudEventV1<unknown> {
  const why = verify(headers, body)
  if (why !== undefined)
    throw new NotADelivery(
      deliveryProblems['delivery-not-signed'],
      `${why}. A reaction accepts what the dispatcher has signed in the last five minutes.`,
      // RFC 9110, 15.5.2 requires a challenge
      { 'www-authenticate': 'Standard-Webhooks' },
    )
  const isStructured = /^application\/cloudevents\+json\b/i.test(headers['content-type'] ?? '')
  if (!isStructured || Object.keys(headers).some((name) => name.startsWith('ce-')))
    throw unreadable('Send it as application/cloudevents+json, without ce- headers, which are not signed.')
  try {
    const event: unknown = JSON.parse(body.toString())
    // fromCloudEvent checks the attributes
    if (typeof event === 'object' && event !== null) return event as CloudEventV1<unknown>
  } catch {
    // refused below
  }
  throw unreadable('The body is not a JSON object.')
}

const unreadable = (detail: string) => new NotADelivery(deliveryProblems['delivery-unreadable'], detail)

/** What is said of an error that only the log may show. */
export const failed = 'The reaction failed. Its log says why.'

/**
 * Returns the problem to answer a delivery with that was refused or has failed: 503 if something that the
 * reaction needs cannot be reached, 422 if it can never handle the event, and 500 for any other failure. It
 * never contains a query, whose parameters may be a customer's data.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof NotADelivery) return error.problem
  if (error instanceof InvalidEvent)
    return new Problem(deliveryProblems['event-not-accepted'], { detail: error.message })
  if (!isUnavailable(error)) return new Problem('internal-error', { detail: failed })
  const detail = error instanceof Unavailable ? error.message : reasonOf(error).reason
  return new Problem('store-unavailable', { detail })
}
