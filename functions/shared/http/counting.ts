import type { RequestCounts } from '../store/request-counts.ts'

/*
 * Counts requests without asking a store at each. A process lets a caller make a tenth of the limit on its own. Whoever
 * makes more is counted in the store: the process reports what it has counted, and takes another tenth from there,
 * which it may let through before it asks again. So only heavy callers cost a query, and that for one request in many.
 * Small limits are counted in the store at each request.
 */

export interface Limit {
  requests: number
  seconds: number
}

/** Where a caller stands after a request. */
export interface Standing {
  isAllowed: boolean
  /** How many more requests are allowed until the count begins anew. */
  remaining: number
  /** When the count begins anew, in ms from now. */
  endsInMs: number
}

export type Count = (key: string, limit: Limit) => Promise<Standing>

/** A limit up to this is counted in the store at each request. */
const small = 60

/** How many keys are remembered. If there are more, the oldest begin anew, so that memory is bounded. */
const remembered = 20_000

/** How long a request waits for the store, in ms. Then it is let through. */
const patienceMs = 1_000

/** What a process knows about a key until the count ends. */
interface Window {
  /** How many requests were let through. */
  used: number
  /** How many may be let through before the store is asked. */
  granted: number
  /** How many of these the store has counted. */
  reported: number
  /** How many are left in the store. */
  left: number
  /** Whether the store has no more to give. */
  isFull: boolean
  /** In ms. */
  ends: number
  asking?: Promise<void> | undefined
}

interface Options {
  /** Returns the time, in ms. */
  now?: () => number
  /** Is told that the store does not count. */
  onError?: (error: unknown) => void
  most?: number
}

/**
 * Returns a function that counts a request, and says whether it is allowed. If the store fails, it is.
 * @param shared the counts of all processes; if undefined, only this process counts
 */
export function counting(
  shared: Pick<RequestCounts, 'add'> | undefined,
  { now = () => performance.now(), onError = () => {}, most = remembered }: Options = {},
): Count {
  const windows = new Map<string, Window>()
  return async (key, limit) => {
    let window = windowOf(key, limit)
    while (window.used >= window.granted && !window.isFull) {
      window.asking ??= ask(window, key, limit)
      await window.asking
      // it may have ended meanwhile
      window = windowOf(key, limit)
    }
    const isAllowed = window.used < window.granted
    if (isAllowed) window.used++
    return {
      isAllowed,
      remaining: window.granted - window.used + window.left,
      endsInMs: window.ends - now(),
    }
  }

  function windowOf(key: string, { requests, seconds }: Limit): Window {
    const known = windows.get(key)
    const time = now()
    if (known !== undefined && known.ends > time) return known
    windows.delete(key)
    for (const [old, { ends }] of windows) {
      if (ends > time && windows.size < most) break
      windows.delete(old)
    }
    const granted = shared === undefined ? requests : requests <= small ? 0 : leaseOf(requests)
    const window = {
      used: 0,
      granted,
      reported: 0,
      left: requests - granted,
      isFull: shared === undefined,
      ends: time + seconds * 1000,
    }
    windows.set(key, window)
    return window
  }

  async function ask(window: Window, key: string, { requests, seconds }: Limit): Promise<void> {
    const lease = leaseOf(requests)
    const added = window.used - window.reported + lease
    try {
      const { count, endsInMs } = await inTime(shared!.add(key, added, seconds))
      // what was left for the lease
      const given = Math.min(lease, Math.max(0, requests - count + lease))
      window.granted = window.used + given
      window.reported += added
      window.left = Math.max(0, requests - count)
      window.isFull = given < lease
      window.ends = now() + endsInMs
    } catch (error) {
      onError(error)
      window.granted = window.used + lease
      window.left = Math.max(0, window.left - lease)
    } finally {
      window.asking = undefined
    }
  }
}

/** How many requests a process takes from the store at a time. */
const leaseOf = (requests: number) => (requests <= small ? 1 : Math.ceil(requests / 10))

/** @throws if the store does not answer in time */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs)
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
