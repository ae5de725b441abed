import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { Problem } from '../http/problems.ts'

/** Identifies a request that has an Idempotency-Key. */
export interface IdempotencyKey {
  /** The user's id, or `anyone`. Each caller has their own keys. */
  caller: string
  key: string
  /** A hash of operation, path and body. A different request with the same key is refused. */
  hash: string
}

/** What an Idempotency-Key looks like. */
export const keyPattern = /^[\u0021-\u007e]{1,100}$/

/** A stored first response, which is replayed byte for byte. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** How long a first response is replayed, in ms. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000

/**
 * Reads the request's key.
 * @param called the operation and its path, with validated parameters: however their case was sent, it is the
 *   same request
 * @param withBody whether the same key is refused with another body
 * @throws Problem 400 if it is missing or malformed
 */
export async function readIdempotencyKey(
  c: Context,
  called: string,
  caller: string,
  { withBody = true } = {},
): Promise<IdempotencyKey> {
  const key = c.req.header('idempotency-key')
  if (key === undefined || !keyPattern.test(key))
    throw new Problem('idempotency-key-missing', {
      detail: 'Send a new random key, such as a UUID, with each new request and the same one with a retry.',
      errors: [{ pointer: '/header/idempotency-key', detail: '1 to 100 visible ASCII characters' }],
    })
  const hash = createHash('sha256').update(`${called}\n`)
  if (withBody) hash.update(new Uint8Array(await c.req.arrayBuffer()))
  return { caller, key, hash: hash.digest('base64url') }
}

/** The answers of `keepable`, so that they need not be read from their responses. */
const known = new WeakMap<Response, Answer>()

/** Records the answer of a response that will be stored. Returns the response. */
export function keepable(response: Response, answer: Answer): Response {
  known.set(response, answer)
  return response
}

/** Returns the answer to store for a response. */
export async function toAnswer(response: Response): Promise<Answer> {
  const answer = known.get(response)
  if (answer !== undefined) return answer
  const headers: Record<string, string> = {}
  for (const name of ['content-type', 'cache-control', 'location', 'etag']) {
    const value = response.headers.get(name)
    if (value !== null) headers[name] = value
  }
  return { status: response.status, headers, body: await response.clone().text() }
}

/**
 * Returns the first response again.
 * @throws Problem 422 if the key was used for a different request
 */
export function replay(first: { hash: string; answer: Answer }, key: IdempotencyKey): Response {
  if (first.hash !== key.hash) throw reused()
  const { status, headers, body } = first.answer
  return new Response(body, { status, headers: { ...headers, 'idempotency-replayed': 'true' } })
}

export const reused = () =>
  new Problem('idempotency-key-reused', {
    detail: 'Send a new key with a new request; the same key only with the very same body.',
  })

export const inFlight = () =>
  new Problem('idempotency-key-in-flight', {
    detail: 'Send the same request again in a moment to get its answer.',
    headers: { 'retry-after': '1' },
  })
