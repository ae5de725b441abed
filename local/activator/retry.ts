import type { GatewayProblemName } from '../../functions/shared/http/gateway-problems.ts'
import type { Outcome } from './proxy.ts'

const maxRetries = 3

/** What has happened to a request so far. */
export interface History {
  retries: number
  /** Whether it may have crashed a process. */
  suspect: boolean
}

/**
 * Decides what happens to a request after an exchange with a process: it is `over`, sent again (`retry`), or answered with
 * a problem.
 * @param isClosing whether the pool is shutting down
 */
export function afterExchange(
  outcome: Outcome,
  { retries, suspect }: History,
  isClosing: boolean,
): 'over' | 'retry' | GatewayProblemName {
  if (outcome === 'done' || outcome === 'cut') return 'over'
  if (outcome === 'late') return 'gateway-timeout'
  // a request that may have crashed two processes must not get a third one
  const mayRetry = outcome !== 'failed' && !(outcome === 'unanswered' && suspect) && retries < maxRetries
  if (!mayRetry) return 'bad-gateway'
  return isClosing ? 'shutting-down' : 'retry'
}
