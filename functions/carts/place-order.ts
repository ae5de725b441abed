import type { IncomingHttpHeaders } from 'node:http'
import { post } from '../shared/http/client.ts'
import { unavailable } from '../shared/http/problems.ts'
import { inSpan } from '../shared/telemetry/telemetry.ts'
import type { Attempt, Checkout } from './cart.ts'

/** How long create-order may take, in ms: less than an operation may take in all. */
const timeoutMs = 8_000

/** The answer of create-order. */
export interface Placed {
  status: number
  headers: IncomingHttpHeaders
  answer: string
}

/** What create-order needs to know of the request to check out. */
interface Caller {
  /** The customer's own access token. */
  authorization: string
  /** The network address of the customer's client. */
  address: string
  requestId: string | undefined
  traceparent: string | undefined
}

/** Places the order of an attempt. An attempt that is repeated with the same checkout gets the same answer. */
export type PlaceOrder = (attempt: Attempt, checkout: Checkout, caller: Caller) => Promise<Placed>

/**
 * Returns a function that calls `create-order` over HTTP. The Idempotency-Key belongs to the attempt, and `create-order`
 * makes no second order from a cart with the same `cartId`. The function throws a Problem 503 if there is no answer.
 * @param url the address of `create-order`
 */
export const orderPlacer =
  (url: string): PlaceOrder =>
  async ({ orderKey, cartId, lines }, checkout, caller) => {
    const { authorization, address, requestId, traceparent } = caller
    const send = (traced: string | undefined) =>
      post(`${url}/api/v1/orders`, {
        headers: {
          authorization,
          'content-type': 'application/json',
          'idempotency-key': orderKey,
          'x-forwarded-for': address,
          ...(requestId !== undefined && { 'x-request-id': requestId }),
          ...(traced !== undefined && { traceparent: traced }),
        },
        body: JSON.stringify({ ...checkout, expectedSubtotal: undefined, lines, cartId }),
        timeoutMs,
      })
    try {
      return await inSpan({ name: 'create-order', kind: 'client' }, (span) =>
        send(span?.traceparent ?? traceparent),
      )
    } catch (error) {
      throw unanswered(error)
    }
  }

const unanswered = (cause: unknown) =>
  unavailable(
    'Whether the order is placed is not known. Send the same request again: it is placed once.',
    cause,
  )
