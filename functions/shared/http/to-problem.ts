import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { isUnavailable } from '../store/store-errors.ts'
import { Problem, unavailable } from './problems.ts'

/** Returns the problem that a client is told of an error. Logs what is no fault of the client's. */
export function toProblem(error: unknown, c: Context, log: Logger): Problem {
  if (error instanceof Problem && error.cause === undefined) return error
  const request = { method: c.req.method, path: c.req.path, requestId: c.req.header('x-request-id') }
  log.error({ ...request, err: error }, 'request failed')
  if (error instanceof Problem) return error
  if (isUnavailable(error) || error instanceof HTTPException) return unavailable('Try again in a moment.')
  return new Problem('internal-error', {
    detail: 'It is logged. Try again; if it stays, tell us the X-Request-Id.',
  })
}
