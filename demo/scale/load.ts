import { wait } from './wait.ts'

/** One request of the load. */
export interface Sent {
  /** When it was due, in ms from the start of the load. */
  at: number
  /** Which function answers it. */
  name: string
  /** From when it was due until the whole answer was there: what made it late counts. */
  ms: number
  /** Undefined where no answer came. */
  status: number | undefined
}

/** What there is to send: which function is to answer, and the request. */
export interface Visit {
  name: string
  /** Resolves to the answer's status once its body is read; rejects where none comes. */
  send: () => Promise<number>
}

export interface Load {
  sent: Sent[]
  /** When those were due that were not sent, as too many were in flight; in ms from the start. */
  unsent: number[]
  /** How many are in flight, by function. */
  inFlight: Map<string, number>
}

/**
 * An open loop: requests start when they are due whatever the answers do, as people do not wait for each other.
 * Resolves when the last of them is answered, or is not waited for any more.
 * @param due in ms from now, rising
 * @param limit how many may be in flight
 * @param signal ends it early: nothing more is sent, nor waited for
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
    // a timer that ends early would make it early, too
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
