import type { FunctionReport } from '../activator/report.ts'
import type { Counts } from './journal.ts'
import type { FunctionState } from './wire.ts'

/** Returns what the page shows of the functions' state. */
export const functionStates = (
  reports: Readonly<Record<string, FunctionReport>>,
  counts: (name: string) => Counts,
): Record<string, FunctionState> =>
  Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, toState(report, counts(name))]))

function toState(
  { state, instances, concurrency, panic, restarts }: FunctionReport,
  counts: Counts,
): FunctionState {
  const number = (wanted: string) => instances.filter((instance) => instance.state === wanted).length
  const { inFlight, queued } = concurrency
  return {
    state,
    ready: number('ready'),
    starting: number('starting'),
    stopping: number('stopping'),
    inFlight,
    queued,
    panic,
    restarts,
    ...counts,
  }
}

/** Returns the entries of `now` that differ from those of `before`; undefined if none does. */
export function changed<T>(
  before: Readonly<Record<string, T>>,
  now: Readonly<Record<string, T>>,
): Record<string, T> | undefined {
  const found = Object.entries(now).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  )
  return found.length === 0 ? undefined : Object.fromEntries(found)
}
