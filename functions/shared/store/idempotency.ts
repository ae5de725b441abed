import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { Problem } from '../http/problems.ts'

/** What a request with an Idempotency-Key is known by. */
export interface IdempotencyKey {
  /** Keys are the caller's own: a user's id, or `anyone`. */
  caller: string
  key: string
  /** Of operation, path and body: another request under the same key is refused. */
  hash: string
}

/** A first answer, kept to be given again byte for byte. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** How long a first answer is given again. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000

/** Reads the request's key; 400 where it is missing or malformed. */
export async function readIdempotencyKey(
  c: Context,
  operation: string,
  caller: string,
): Promise<IdempotencyKey> {
  const key = c.req.header('idempotency-key')
  if (key === undefined || !/^[\u0021-\u007e]{1,100}$/.test(key))
    throw new Problem('idempotency-key-missing', {
      detail: 'Send a new random key, such as a UUID, with each new request and the same one with a retry.',
      errors: [{ pointer: '/header/idempotency-key', detail: '1 to 100 visible ASCII characters' }],
    })
  const hash = createHash('sha256')
    .update(`${operation}\n${c.req.path}\n`)
    .update(await c.req.text())
    .digest('base64url')
  return { caller, key, hash }
}

/** What `keepable` answered, so that it need not be read out of the response again. */
const known = new WeakMap<Response, Answer>()

/** A response whose answer is to be kept. */
export function keepable(response: Response, answer: Answer): Response {
  known.set(response, answer)
  return response
}

/** The answer that is kept of a response. */
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

/** The first answer again, or a 422 where the key was used for another request. */
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
