import { quantile } from '../../functions/shared/quantile.ts'
import type { Sent } from './load.ts'
import { isGood } from './load.ts'
import type { ColdStart } from './source.ts'

export const times = (sent: readonly Sent[]) => sent.map(({ ms }) => ms)

export interface Second {
  /** The number of requests that were due in this second. */
  due: number
  good: number
  failed: number
  unsent: number
  p50: number | undefined
  p90: number | undefined
  p99: number | undefined
}

/** Counts the results of the requests that were due in each second of the load. */
export function bySecond(sent: readonly Sent[], unsent: readonly number[], seconds: number): Second[] {
  const secondOf = (at: number) => Math.floor(at / 1000)
  const requests = Map.groupBy(sent, ({ at }) => secondOf(at))
  const missed = Map.groupBy(unsent, secondOf)
  return Array.from({ length: Math.ceil(seconds) }, (_, second) => {
    const some = requests.get(second) ?? []
    const good = some.filter(isGood)
    const held = missed.get(second)?.length ?? 0
    return {
      due: some.length + held,
      good: good.length,
      failed: some.length - good.length,
      unsent: held,
      p50: quantile(times(some), 0.5),
      p90: quantile(times(some), 0.9),
      p99: quantile(times(some), 0.99),
    }
  })
}

/** The longest time that a request waited for a function while one of its pods started. */
export function slowestDuring(start: ColdStart, sent: readonly Sent[], began: number): number | undefined {
  const from = start.at - began
  const met = sent.filter(
    ({ name, at, ms }) => name === start.name && at <= from + start.ms && at + ms >= from,
  )
  return quantile(times(met), 1)
}

/** `8 ms`, `1.2 s` */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`
}

/** `1:05` */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** Counts the requests in flight at each of these times, which are in seconds. */
export function inFlightAt(at: readonly number[], sent: readonly Sent[]): number[] {
  const change = Array.from({ length: at.length + 1 }, () => 0)
  for (const { at: from, ms } of sent) {
    change[firstAfter(at, from / 1000)]! += 1
    change[firstAfter(at, (from + ms) / 1000)]! -= 1
  }
  let flying = 0
  return at.map((_, n) => (flying += change[n]!))
}

/** The index of the first value that is not less. */
function firstAfter(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Averages each value with its neighbours, because randomness makes a steady load look jagged. */
export const smooth = (values: readonly number[]): number[] =>
  values.map((_, n) => {
    const near = values.slice(Math.max(0, n - 2), n + 3)
    return near.reduce((sum, value) => sum + value, 0) / near.length
  })
