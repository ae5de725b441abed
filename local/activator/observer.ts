import type { Decision } from './autoscaler.ts'
import type { Change } from './scaling.ts'

/** A request to a function, once it is over. */
export interface Exchange {
  method: string
  /** The path at the function, with the query. */
  path: string
  /** Undefined if the client left before there was an answer. */
  status: number | undefined
  /** The time from the arrival of the request to the end of the answer. */
  ms: number
  requestId: string
  traceId: string | undefined
  /** Undefined if there was none, or if it was too large to be read before it was sent. */
  body: Buffer | undefined
}

/** Is told what happens to the functions. It must not throw, and must return soon. */
export interface Observer {
  answered: (name: string, exchange: Exchange) => void
  /** @param decision undefined if a process was started in advance */
  scaled: (name: string, change: Change, decision: Decision | undefined) => void
}
