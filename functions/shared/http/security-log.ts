import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { User } from '../auth/access-token.ts'
import type { Actor } from '../auth/actor.ts'
import type { AddressOf } from './client-address.ts'
import type { Problem } from './problems.ts'

/*
 * The security log: a structured line for each event that someone who watches for attacks should see. Its field
 * `security` says what happened, who did it, from where, and in which request. It contains ids, but no secret, name or
 * e-mail address.
 */

/** What was done. A refused request has the name of its problem instead. */
export type SecurityEvent =
  | 'logged-in'
  | 'role-changed'
  | 'admin-created'
  | 'password-changed'
  | 'email-changed'
  | 'email-verified'
  | 'password-reset-requested'
  | 'second-factor-enabled'
  | 'second-factor-disabled'
  | 'recovery-codes-renewed'
  | 'recovery-code-used'
  | 'user-deleted'
  | 'session-revoked'
  | 'sessions-revoked'
  | 'payment-refunded'

/** More about an event, such as the ids of what was changed. */
export type SecurityDetails = Readonly<Record<string, string | number>>

/** Writes an entry about something that was done. */
export type LogSecurity = (event: SecurityEvent, details?: SecurityDetails) => void

declare module 'hono' {
  interface ContextVariableMap {
    /** The name of the operation. */
    operation: string
    /** The caller, once the access token is verified. */
    user: User | undefined
  }
}

/** Returns whether a refusal belongs in the security log: nobody, or not this caller, or not so often. */
export const isSecurityProblem = ({ status }: Problem) => [401, 403, 429].includes(status)

/** Returns a log that writes its entries at every LOG_LEVEL except for `silent`: an attack must be seen at `error`, too. */
const atEveryLevel = (log: Logger): Logger =>
  log.child({}, { level: log.level === 'silent' ? 'silent' : 'info' })

/** Returns functions that write entries about requests. */
export function openSecurityLog(general: Logger, addressOf: AddressOf) {
  const log = atEveryLevel(general)
  const write = (c: Context, event: string, outcome: 'done' | 'refused', details: SecurityDetails = {}) => {
    const user = c.get('user')
    const security = {
      event,
      outcome,
      actor: user === undefined ? 'anonymous' : { id: user.id, role: user.role },
      address: addressOf(c),
      requestId: c.req.header('x-request-id'),
      operation: c.get('operation'),
      ...details,
    }
    log.info({ security }, event)
  }
  return {
    /** Logs that a request was refused, if the problem belongs in the log. */
    refused: (c: Context, problem: Problem) => {
      if (isSecurityProblem(problem)) write(c, problem.type.name, 'refused', problem.extra.security)
    },
    /** Returns a request's function that logs what was done. */
    of:
      (c: Context): LogSecurity =>
      (event, details) =>
        write(c, event, 'done', details),
  }
}

/** Logs that a reaction refused a delivery. Only someone who is not the dispatcher sends one that is not signed. */
export function logRefusedDelivery(log: Logger, problem: Problem, details: SecurityDetails): void {
  const event = problem.type.name
  atEveryLevel(log).warn({ security: { event, outcome: 'refused', actor: 'anonymous', ...details } }, event)
}

/**
 * Logs what was done by a reaction or a job.
 * @param actor who asked for it; by default, nobody did
 */
export function logWithoutRequest(
  log: Logger,
  event: SecurityEvent,
  details: SecurityDetails,
  actor: Actor = 'system',
): void {
  const [role, id] = actor.split(':')
  const by = id === undefined ? actor : { id, role }
  atEveryLevel(log).info({ security: { event, outcome: 'done', actor: by, ...details } }, event)
}
