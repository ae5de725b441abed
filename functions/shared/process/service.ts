import type { RequestCounts } from '../store/request-counts.ts'

/** What a process needs while it serves: its stores, with their checks. */
export interface Service {
  /** Returns what has failed for some seconds, if the process watches that. It is then not ready. */
  degraded?: () => Degraded[]
  /** Rejects if a store cannot be reached. */
  ping: () => Promise<void>
  /**
   * Rejects with a UserError if the store cannot be reached, or its version does not fit this code. The
   * server awaits it before it listens.
   */
  checked: Promise<void>
  close: () => Promise<void>
  /** The counts of requests that its processes share. */
  requestCounts?: RequestCounts
}

/** A store that fails although the process that needs it runs. */
export interface Degraded {
  store: 'postgres' | 'nats' | 'mongodb'
  /** As RFC 3339. */
  since: string
  reason: string
}
