import { setTimeout as pause } from 'node:timers/promises'
import type { Schemas } from '../../../demo/client/client.ts'

/** How long a client repeats a request, in ms. */
export const patienceMs = 150_000

interface Answer {
  error?: unknown
  response: Response
}

/** Retries requests like a good client, and records the responses that no fault excuses. */
export function createInsistence() {
  const strange: string[] = []
  let isCalm = false

  /**
   * Sends a request until it gets a final response, whatever happens to the shop in the meantime. A request
   * that creates something must carry the same Idempotency-Key each time.
   * @param what the name of the request, for messages
   */
  async function insist<A extends Answer>(what: string, send: () => Promise<A>): Promise<A> {
    let last = ''
    for (const end = performance.now() + patienceMs; performance.now() < end; await pause(100))
      try {
        const answer = await send()
        if (isFinal(answer)) return answer
        last = `${what} returned ${describe(answer)}`
        const { status } = answer.response
        if (status === 500 || (isCalm && status === 502)) strange.push(last)
      } catch (error) {
        last = `${what} got no response: ${String(error)}`
        if (isCalm) strange.push(last)
      }
    throw new Error(`Gave up after ${patienceMs} ms: ${last}`)
  }

  return {
    insist,
    /** Responses with 500, which no fault excuses. After `calm`, also those with 502, and lost responses. */
    strange,
    /** From now on no process is killed, so no request may be cut off. */
    calm: () => (isCalm = true),
  }
}

export type Insist = ReturnType<typeof createInsistence>['insist']

const isFinal = ({ error, response: { status } }: Answer) =>
  status < 500 && status !== 429 && !(status === 409 && typeOf(error).endsWith('in-flight'))

/** The problem's type, as the API documents it. */
const typeOf = (error: unknown) => (error as Schemas['Problem']).type

/** Describes a response, with the request's id, for which the processes' logs are searched. */
const describe = ({ error, response: { status, url, headers } }: Answer) =>
  `${status} ${JSON.stringify(error)} by ${url} (X-Request-Id ${headers.get('x-request-id')})`
