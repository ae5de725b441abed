import type {
  DecisionEntry,
  Degraded,
  DeliveryEntry,
  FunctionState,
  LoadState,
  LogEntry,
  News,
  RequestEntry,
  Table,
} from '../wire.ts'
import { emptyCourse, isAtZero, push, type Course } from './spark.ts'

/** How many entries of each list are kept and shown. */
const kept = 100

export interface State {
  table: Table
  functions: Map<string, FunctionState>
  /** Those that ran in the last minute. */
  courses: Map<string, Course>
  requests: RequestEntry[]
  failures: RequestEntry[]
  deliveries: DeliveryEntry[]
  decisions: DecisionEntry[]
  logs: LogEntry[]
  events: News['events']
  degraded: Degraded[]
  load: LoadState | undefined
  /** How many requests and deliveries there were in each of the last seconds. */
  answered: number[]
}

export const createState = (table: Table): State => ({
  table,
  functions: new Map(),
  courses: new Map(),
  requests: [],
  failures: [],
  deliveries: [],
  decisions: [],
  logs: [],
  events: undefined,
  degraded: [],
  load: undefined,
  answered: [],
})

/** Takes a message of the event stream. */
export function take(state: State, news: News): void {
  if (news.isFirst) {
    state.functions.clear()
    for (const list of ['requests', 'failures', 'deliveries', 'decisions', 'logs'] as const) state[list] = []
  }
  for (const [name, one] of Object.entries(news.functions ?? {})) state.functions.set(name, one)
  const requests = news.requests ?? []
  state.requests = latest(state.requests, requests)
  state.failures = latest(state.failures, requests.filter(isFailure))
  state.deliveries = latest(state.deliveries, news.deliveries ?? [])
  state.decisions = latest(state.decisions, news.decisions ?? [])
  state.logs = latest(state.logs, news.logs ?? [])
  if (news.events !== undefined) state.events = news.events
  if (news.degraded !== undefined) state.degraded = news.degraded
  if (news.load !== undefined) state.load = news.load ?? undefined
}

/** Newest first. */
const latest = <T>(list: T[], more: readonly T[]): T[] =>
  more.length === 0 ? list : [...more.toReversed(), ...list].slice(0, kept)

export const isFailure = ({ status }: RequestEntry): boolean => status === undefined || status >= 400

/** Adds a sample to the graphs. */
export function sample(state: State): void {
  for (const [name, { ready, starting, inFlight, queued }] of state.functions) {
    const instances = ready + starting
    const course = state.courses.get(name) ?? (instances > 0 ? emptyCourse() : undefined)
    if (course === undefined) continue
    push(course, instances, inFlight + queued)
    if (isAtZero(course)) state.courses.delete(name)
    else state.courses.set(name, course)
  }
  state.answered.push([...state.functions.values()].reduce((sum, { answered }) => sum + answered, 0))
  // ten seconds
  if (state.answered.length > 21) state.answered.shift()
}

/** The requests and deliveries a second, over the last ten seconds. */
export function rate({ answered }: State): number {
  const seconds = (answered.length - 1) / 2
  return seconds <= 0 ? 0 : Math.max(0, (answered.at(-1)! - answered[0]!) / seconds)
}
