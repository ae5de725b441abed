import type { GatewayProblemName } from '../../functions/shared/http/gateway-problems.ts'
import type { Outcome } from './proxy.ts'

const maxRetries = 3

/** What has happened to a request so far. */
export interface History {
  retries: number
  /** Whether a process may have died of it. */
  suspect: boolean
}

/**
 * Decides what becomes of a request after an exchange with a process: it is `over`, gets another process (`retry`), or is
 * answered with a problem.
 * @param isClosing whether the pool is shutting down
 */
export function afterExchange(
  outcome: Outcome,
  { retries, suspect }: History,
  isClosing: boolean,
): 'over' | 'retry' | GatewayProblemName {
  if (outcome === 'done' || outcome === 'cut') return 'over'
  if (outcome === 'late') return 'gateway-timeout'
  // a request that may have killed two processes is not given a third one
  const mayRetry = outcome !== 'failed' && !(outcome === 'unanswered' && suspect) && retries < maxRetries
  if (!mayRetry) return 'bad-gateway'
  return isClosing ? 'shutting-down' : 'retry'
}
