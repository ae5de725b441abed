import { wait } from './wait.ts'

/** One request of the load. */
export interface Sent {
  /** When it was due, in ms from the start of the load. */
  at: number
  /** The function that handles it. */
  name: string
  /** The time from when it was due until the response was complete. A late start counts. */
  ms: number
  /** Undefined if there was no response. */
  status: number | undefined
}

/** A request to send, and the function that handles it. */
export interface Visit {
  name: string
  /** Resolves to the response's status once its body is read. Rejects if there is no response. */
  send: () => Promise<number>
}

export interface Load {
  sent: Sent[]
  /** When the requests were due that were not sent because too many were in flight, in ms from the start. */
  unsent: number[]
  /** The number of requests in flight, by function. */
  inFlight: Map<string, number>
}

/**
 * Runs an open loop: requests start when they are due, however slow the responses are, because people do not
 * wait for each other. Resolves when the last request has ended, or when `signal` is aborted.
 * @param due when requests are due, in ms from now, ascending
 * @param limit the maximum number of requests in flight
 * @param signal ends the loop early: no more requests are sent or waited for
 */
export async function runLoad(
  due: readonly number[],
  next: () => Visit,
  { limit, load, signal }: { limit: number; load: Load; signal?: AbortSignal },
): Promise<void> {
  const began = performance.now()
  const open = new Set<Promise<void>>()
  for (const at of due) {
    const early = began + at - performance.now()
    // rounded up, so that no request is sent before it is due
    if (early > 0) await wait(Math.ceil(early), signal)
    if (signal?.aborted) break
    if (open.size >= limit) load.unsent.push(at)
    else {
      const request: Promise<void> = track(at, next()).finally(() => open.delete(request))
      open.add(request)
    }
  }
  const aborted = Promise.withResolvers<void>()
  signal?.addEventListener('abort', () => aborted.resolve())
  if (!signal?.aborted) await Promise.race([Promise.all(open), aborted.promise])

  async function track(at: number, { name, send }: Visit) {
    load.inFlight.set(name, (load.inFlight.get(name) ?? 0) + 1)
    const status = await send().catch(() => undefined)
    load.inFlight.set(name, load.inFlight.get(name)! - 1)
    load.sent.push({ at, name, ms: performance.now() - began - at, status })
  }
}

export const isGood = ({ status }: Pick<Sent, 'status'>) => status !== undefined && status < 400
