/** What the console's page gets: its messages, without any code. */

/** A row of the function table. */
export interface FunctionRow {
  name: string
  domain: string
  summary: string
  /** None if it is a reaction. */
  route?: string
  concurrency: number
  maxScale: number
  emits: readonly string[]
  /** Empty if it is an operation. */
  on: readonly string[]
}

export interface EventRow {
  type: string
  domain: string
  summary: string
  scheduled: boolean
}

export interface LoadRow {
  name: string
  title: string
  about: string
  seconds: number
}

/** What does not change while the shop runs. */
export interface Table {
  functions: FunctionRow[]
  events: EventRow[]
  loads: LoadRow[]
  /** Whether the spans of the processes come here. */
  hasTraces: boolean
  /** The autoscaler's stable window; none if all functions run in one process. */
  windowSeconds?: number
}

/** Entries of a list are numbered, in the order in which they happened. */
interface Entry {
  n: number
  /** In ms since 1970. */
  at: number
}

export interface RequestEntry extends Entry {
  name: string
  method: string
  route: string
  /** None if the client left before there was an answer. */
  status?: number
  ms: number
  id: string
  trace?: string
}

export interface DeliveryEntry extends Entry {
  reaction: string
  /** The event types with their numbers; empty if the delivery was too large to be looked at. */
  events: [type: string, count: number][]
  status?: number
  ms: number
  trace?: string
}

export interface DecisionEntry extends Entry {
  name: string
  from: number
  to: number
  reason: string
  /** The average concurrency in the stable and in the panic window, and how many instances it needs. */
  stable?: number
  short?: number
  desired?: number
  panic?: boolean
}

/** A warning or an error that a process has logged. */
export interface LogEntry extends Entry {
  name: string
  isError: boolean
  text: string
  trace?: string
}

export interface FunctionState {
  state: 'idle' | 'starting' | 'ready' | 'stopping' | 'failing'
  ready: number
  starting: number
  stopping: number
  inFlight: number
  queued: number
  panic: boolean
  restarts: number
  /** Requests and deliveries since the shop was started, and how many of them failed. */
  answered: number
  failed: number
}

/** An event that a reaction failed to handle in every attempt. */
export interface Letter {
  eventId: string
  reaction: string
  type: string
  attempts: number
  error: string
  at: number
  trace?: string
}

export interface Lag {
  reaction: string
  events: number
  oldestSeconds: number
}

export interface DeliveryState {
  /** Events that are due and not published yet. */
  outbox: { events: number; oldestSeconds: number }
  /** Events that are due in the future. */
  scheduled: number
  /** Events that are published and not handled yet, by reaction. */
  lag: Lag[]
  /** Failed deliveries that will be tried again. */
  retrying: number
  letters: Letter[]
  /** How many dead letters there are in all. */
  lettersInAll: number
}

export interface LoadState {
  isRunning: boolean
  /** The last lines that it has printed. */
  said: string[]
}

export interface Degraded {
  store: string
  since: string
  reason: string
}

/** A message of the event stream: what is new. The first one after connecting says all. */
export interface News {
  at: number
  isFirst?: true
  /** Those that have changed. */
  functions?: Record<string, FunctionState>
  requests?: RequestEntry[]
  deliveries?: DeliveryEntry[]
  decisions?: DecisionEntry[]
  logs?: LogEntry[]
  /** A message if the database cannot be read. */
  events?: DeliveryState | { problem: string }
  degraded?: Degraded[]
  load?: LoadState | null
}

/** A step of a trace. */
export interface TraceSpan {
  id: string
  /** None if it is the first, or its cause is not known here. */
  parent?: string
  name: string
  /** The function or service that did it. */
  service: string
  /** When it began, in ms since 1970, and how long it took. */
  at: number
  ms: number
  /** The HTTP status of the answer. */
  status?: number
  failure?: string
  /** Other traces, because days may lie between the steps of an order. */
  links: string[]
}

export interface TraceLog {
  at: number
  name: string
  level: 'info' | 'warning' | 'error'
  text: string
}

export interface Trace {
  spans: TraceSpan[]
  logs: TraceLog[]
}
