import { functions, type FunctionName } from '../../functions/table.ts'
import type { Observer } from '../activator/observer.ts'
import { eventsIn } from './events-in.ts'
import { toLogEntry, toTraceLog } from './log-entry.ts'
import { createRing } from './ring.ts'
import type { DecisionEntry, DeliveryEntry, LogEntry, RequestEntry, TraceLog } from './wire.ts'

/** How many requests, failed requests, deliveries, decisions and lines of the log are kept. */
const kept = { requests: 150, failures: 100, deliveries: 150, decisions: 200, logs: 100, lines: 200 }
/** The longest line that is kept for its trace, in characters. */
const longestLine = 4_096

export interface Counts {
  answered: number
  failed: number
}

export type Journal = ReturnType<typeof createJournal>

/**
 * Keeps what happened lately, for the console: methods, routes, functions, statuses, times and ids, but no header, body
 * or address. It is bounded, so that it costs little while nobody looks.
 */
export function createJournal() {
  const requests = createRing<RequestEntry>(kept.requests)
  // so that a failure is seen after many requests that did not fail
  const failures = createRing<RequestEntry>(kept.failures)
  const deliveries = createRing<DeliveryEntry>(kept.deliveries)
  const decisions = createRing<DecisionEntry>(kept.decisions)
  const logs = createRing<LogEntry>(kept.logs)
  /** The lines of traces, as they came. */
  const lines = createRing<{ name: string; line: string }>(kept.lines)
  const counts = new Map<string, Counts>()
  let n = 0
  const next = () => ({ n: ++n, at: Date.now() })

  const observer: Observer = {
    answered(name, { method, path, status, ms, requestId, traceId, body }) {
      // the dispatcher wakes functions like this
      if (path.startsWith('/health/')) return
      const row = functions[name as FunctionName]
      const isReaction = 'on' in row
      count(name, status === undefined || status >= (isReaction ? 300 : 500))
      const told = { ms: Math.round(ms), ...(status !== undefined && { status }) }
      if (isReaction) {
        const { events, trace } = eventsIn(body, row.on)
        deliveries.push({ ...next(), reaction: name, events, ...told, ...(trace && { trace }) })
        return
      }
      const entry = { ...next(), name, method, route: row.path, ...told, id: requestId }
      const request = traceId === undefined ? entry : { ...entry, trace: traceId }
      requests.push(request)
      if (status === undefined || status >= 400) failures.push(request)
    },
    scaled(name, { from, to, reason }, decision) {
      const { stableAverage: stable, panicAverage: short, desired, panic } = decision ?? {}
      const why = decision === undefined ? {} : { stable, short, desired, panic }
      decisions.push({ ...next(), name, from, to, reason, ...(why as Partial<DecisionEntry>) })
    },
  }

  return {
    observer,
    /** Takes a line that a process has written. */
    line(name: string, line: string): void {
      if (line.length <= longestLine && line.includes('"trace_id":"')) lines.push({ name, line })
      const entry = toLogEntry(name, line)
      if (entry !== undefined) logs.push({ ...next(), ...entry })
    },
    /** Returns what the processes have logged in a trace, oldest first. */
    logsOf: (traceId: string): TraceLog[] =>
      lines
        .list()
        .filter(({ line }) => line.includes(`"trace_id":"${traceId}"`))
        .flatMap(({ name, line }) => toTraceLog(name, line) ?? []),
    counts: (name: string): Counts => counts.get(name) ?? { answered: 0, failed: 0 },
    /** The number of the latest entry. */
    last: () => n,
    /** Returns the entries after one, oldest first. */
    since: (after: number) => {
      const isNew = (entry: { n: number }) => entry.n > after
      const seen = requests.list().filter(isNew)
      const oldest = seen[0]?.n ?? Number.POSITIVE_INFINITY
      return {
        requests: [...failures.list().filter((entry) => isNew(entry) && entry.n < oldest), ...seen],
        deliveries: deliveries.list().filter(isNew),
        decisions: decisions.list().filter(isNew),
        logs: logs.list().filter(isNew),
      }
    },
  }

  function count(name: string, isFailure: boolean) {
    const known = counts.get(name) ?? { answered: 0, failed: 0 }
    known.answered += 1
    if (isFailure) known.failed += 1
    counts.set(name, known)
  }
}
