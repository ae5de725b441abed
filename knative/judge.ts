import { quantile } from '../functions/shared/quantile.ts'

/** What the gateway saw of one revision. */
export interface Seen {
  requests: number
  /** Answers of 500 and above. */
  failed: number
  /** In ms, as they came. */
  durations: number[]
}

export interface Limits {
  /** Fewer requests to the new revision tell nothing. */
  leastRequests: number
  /** By how much its share of failed requests may be above the old one's. */
  moreFailed: number
  /** By how much its p99 may be above the old one's: a factor, and so many ms on top, as few requests vary. */
  slower: number
  slowerMs: number
}

export const defaults: Limits = { leastRequests: 30, moreFailed: 0.01, slower: 1.5, slowerMs: 100 }

export type Verdict = { is: 'good' } | { is: 'unclear' | 'failing' | 'slow'; why: string }

/** Whether the new revision is as good as the old one. All pure. */
export function judge(before: Seen, after: Seen, limits: Limits = defaults): Verdict {
  const failed = share(after) - share(before)
  // that it fails is clear sooner than that it does not
  if (after.failed >= 3 && failed > limits.moreFailed)
    return {
      is: 'failing',
      why: `${percent(share(after))} of its requests failed, against ${percent(share(before))} of the old one's`,
    }
  if (after.requests < limits.leastRequests)
    return { is: 'unclear', why: `only ${after.requests} of ${limits.leastRequests} requests came to it` }
  const limit = p99(before) * limits.slower + limits.slowerMs
  const slow = after.durations.filter((ms) => ms > limit).length
  // of few requests the p99 is the slowest one, which chance makes slow, too
  if (before.requests >= limits.leastRequests && p99(after) > limit && slow >= 3)
    return {
      is: 'slow',
      why: `its p99 is ${p99(after).toFixed(0)} ms, against ${p99(before).toFixed(0)} ms of the old one`,
    }
  return { is: 'good' }
}

const share = ({ failed, requests }: Seen) => (requests === 0 ? 0 : failed / requests)

/** 0 if there was no request. */
export const p99 = ({ durations }: Seen): number => quantile(durations, 0.99) ?? 0

export const percent = (of: number) => `${(of * 100).toFixed(1)} %`

export const nothing = (): Seen => ({ requests: 0, failed: 0, durations: [] })

/**
 * Counts a line of the gateway's access log for the revision that answered, as the function tells it in X-Revision.
 * @param suspect the revision that is held to account for what of the function's requests failed without a revision's word:
 *   a process that dies or hangs says nothing, and its gateway answers for it
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

/** As Caddy writes it; `duration` in seconds. */
interface Entry {
  status: number
  duration: number
  resp_headers?: Record<string, string[] | undefined>
  request?: { method?: string; uri?: string }
}

function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry>
    // other lines of the log have neither
    return typeof entry.status === 'number' && typeof entry.duration === 'number'
      ? (entry as Entry)
      : undefined
  } catch {
    return undefined
  }
}
