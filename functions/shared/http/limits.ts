import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { User } from '../auth/access-token.ts'
import type { OperationRow } from '../domain.ts'
import type { Config } from '../process/config.ts'
import type { RequestCounts } from '../store/request-counts.ts'
import type { AddressOf } from './client-address.ts'
import { counting, type Limit, type Standing } from './counting.ts'
import { readLimitsFactor } from './limits-factor.ts'
import { Problem } from './problems.ts'

/*
 * How many requests a caller may make: a row's `limits`, for each user, and for each network from which nobody is logged
 * in. Answers carry the headers of draft-ietf-httpapi-ratelimit-headers.
 */

declare module 'hono' {
  interface ContextVariableMap {
    /** The headers that say where the caller stands. */
    rateLimit: Readonly<Record<string, string>> | undefined
    /** An answer that was made with these headers. */
    limited: Response | undefined
  }
}

/**
 * Counts a request to an operation, and sets `rateLimit`.
 * @throws Problem 429 if the caller has made too many
 */
export type LimitRequests = (c: Context, user: User | undefined) => Promise<void>

export interface Limits {
  /** Returns the function that counts requests to an operation. */
  of: (operation: { name: string; domain: string } & Pick<OperationRow, 'limits'>) => LimitRequests
}

/**
 * @param sharedOf returns the counts that a domain's processes share
 * @returns undefined if LIMITS_FACTOR switches limits off
 * @throws UserError if LIMITS_FACTOR cannot be used
 */
export function openLimits(
  config: Config,
  addressOf: AddressOf,
  sharedOf: (domain: string) => RequestCounts | undefined,
  log: Logger,
): Limits | undefined {
  const factor = readLimitsFactor(config.get('LIMITS_FACTOR'))
  if (factor === 0) return undefined
  return {
    of: ({ name, domain, limits }) => {
      const onError = (error: unknown) =>
        log.warn(
          { err: error, operation: name },
          'the store does not count requests, so they are let through',
        )
      const count = counting(sharedOf(domain), { onError })
      const user = scaled(limits.user, limits.seconds, factor)
      const network = scaled(limits.network, limits.seconds, factor)
      return async (c, who) => {
        const [of, id, limit] = who
          ? (['user', who.id, user] as const)
          : (['network', addressOf(c), network] as const)
        const standing = await count(`${name} ${of} ${id}`, limit)
        c.set('rateLimit', headersOf(limit, standing))
        if (!standing.isAllowed) throw tooMany(limit, standing, of)
      }
    },
  }
}

/** Makes an answer with the headers. Changing the headers of an answer later would load undici. */
export function limited(
  c: Context,
  make: (headers: Readonly<Record<string, string>> | undefined) => Response,
): Response {
  const response = make(c.get('rateLimit'))
  c.set('limited', response)
  return response
}

/** Adds the headers to the answer, whatever it is, unless it was made with them. */
export function addRateLimit(c: Context): void {
  if (c.get('limited') === c.res) return
  for (const [name, value] of Object.entries(c.get('rateLimit') ?? {})) c.res.headers.set(name, value)
}

const headersOf = ({ requests, seconds }: Limit, { remaining, endsInMs }: Standing) => ({
  'ratelimit-policy': `"default";q=${requests};w=${seconds}`,
  ratelimit: `"default";r=${remaining};t=${inSeconds(endsInMs)}`,
})

function tooMany({ requests, seconds }: Limit, { endsInMs }: Standing, of: 'user' | 'network') {
  const wait = inSeconds(endsInMs)
  const who = of === 'user' ? 'A user' : 'A network without a login'
  return new Problem('too-many-requests', {
    detail: `${who} may send ${requests} of these requests in ${seconds} s. Try again in ${wait} s.`,
    headers: { 'retry-after': String(wait) },
    security: { limit: of },
  })
}

const inSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000))

const scaled = (requests: number, seconds: number, factor: number): Limit => ({
  requests: Math.max(1, Math.round(requests * factor)),
  seconds,
})
