import { quantile } from '../functions/shared/quantile.ts'

/** The requests to one revision, as the gateway counts them. */
export interface Seen {
  requests: number
  /** The number of responses with a status of 500 or above. */
  failed: number
  /** The durations of the requests, in ms, in the order in which they ended. */
  durations: number[]
}

export interface Limits {
  /** The smallest number of requests to the new revision that is enough for a verdict. */
  leastRequests: number
  /** How much higher the new revision's share of failed requests may be than the old one's. */
  moreFailed: number
  /**
   * The p99 of the new revision may be at most the old one's, multiplied by `slower`, plus `slowerMs`. The
   * latter allows for the variation among few requests.
   */
  slower: number
  slowerMs: number
}

export const defaults: Limits = { leastRequests: 30, moreFailed: 0.01, slower: 1.5, slowerMs: 100 }

export type Verdict = { is: 'good' } | { is: 'unclear' | 'failing' | 'slow'; why: string }

/** Judges whether the new revision is as good as the old one. */
export function judge(before: Seen, after: Seen, limits: Limits = defaults): Verdict {
  const failed = share(after) - share(before)
  // fewer requests are needed to see that it fails than to see that it does not
  if (after.failed >= 3 && failed > limits.moreFailed)
    return {
      is: 'failing',
      why: `${percent(share(after))} of its requests failed, against ${percent(share(before))} of the old one's`,
    }
  if (after.requests < limits.leastRequests)
    return { is: 'unclear', why: `it got ${after.requests} requests, and needs ${limits.leastRequests}` }
  const limit = p99(before) * limits.slower + limits.slowerMs
  const slow = after.durations.filter((ms) => ms > limit).length
  // the p99 of few requests is the slowest one, which may be slow by chance
  if (before.requests >= limits.leastRequests && p99(after) > limit && slow >= 3)
    return {
      is: 'slow',
      why: `its p99 is ${p99(after).toFixed(0)} ms, against ${p99(before).toFixed(0)} ms of the old one`,
    }
  return { is: 'good' }
}

const share = ({ failed, requests }: Seen) => (requests === 0 ? 0 : failed / requests)

/** Returns the 99th percentile of the durations, in ms; 0 if there were no requests. */
export const p99 = ({ durations }: Seen): number => quantile(durations, 0.99) ?? 0

export const percent = (of: number) => `${(of * 100).toFixed(1)} %`

export const nothing = (): Seen => ({ requests: 0, failed: 0, durations: [] })

/**
 * Counts a line of the gateway's access log for the revision in its X-Revision header.
 * @param isOurs whether a request is for the function
 * @param suspect the revision for which failed requests to the function without this header are counted. If a
 *   process dies or hangs, the gateway responds in its place, without the header.
 */
export function count(
  line: string,
  seen: Map<string, Seen>,
  { isOurs, suspect }: { isOurs: (method: string, path: string) => boolean; suspect: string | undefined },
): void {
  const entry = parse(line)
  if (entry === undefined) return
  const { method, uri } = entry.request ?? {}
  const isUnspoken = entry.status >= 500 && method !== undefined && uri !== undefined && isOurs(method, uri)
  const revision = entry.resp_headers?.['X-Revision']?.[0] ?? (isUnspoken ? suspect : undefined)
  if (revision === undefined) return
  const of = seen.get(revision) ?? nothing()
  of.requests += 1
  if (entry.status >= 500) of.failed += 1
  of.durations.push(entry.duration * 1000)
  seen.set(revision, of)
}

/** An entry of Caddy's access log. `duration` is in seconds. */
interface Entry {
  status: number
  duration: number
  resp_headers?: Record<string, string[] | undefined>
  request?: { method?: string; uri?: string }
}

function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry>
    // other lines of the log have neither field
    return typeof entry.status === 'number' && typeof entry.duration === 'number'
      ? (entry as Entry)
      : undefined
  } catch {
    return undefined
  }
}
