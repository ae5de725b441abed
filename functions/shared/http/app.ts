import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { timeout } from 'hono/timeout'
import type { Logger } from 'pino'
import { authorize, type Authenticate, type User } from '../auth/access-token.ts'
import { refuseIfEnded, type IsSessionEnded } from '../auth/ended-sessions.ts'
import { actorOf } from '../auth/actor.ts'
import type { OperationRow } from '../domain.ts'
import type { LoadedOperation } from '../process/entry.ts'
import { onBehalfOf } from '../store/cause.ts'
import { keepable, readIdempotencyKey } from '../store/idempotency.ts'
import { telemetry } from '../telemetry/telemetry.ts'
import { addressBehind, type AddressOf } from './client-address.ts'
import { notModified } from './entity-tag.ts'
import { gatewayProblems } from './gateway-problems.ts'
import { holdStreams } from './held-streams.ts'
import { addRateLimit, limited, type LimitRequests, type Limits } from './limits.ts'
import { malformedRequest, Problem } from './problems.ts'
import { readUpTo } from './read-up-to.ts'
import { openSecurityLog, type LogSecurity } from './security-log.ts'
import { toProblem } from './to-problem.ts'
import { traceparentOf } from './trace-context.ts'
import { check, checkPath, checkQuery, readJson, refuseBroken } from './validate.ts'

const defaultMaxBody = 100 * 1024

/**
 * The longest that an operation may take once its request is read, in ms. If a store does not respond,
 * further requests queue behind those that are waiting for it.
 */
const mostMs = 10_000

export interface AppOptions {
  operations: readonly LoadedOperation[]
  /** Returns the dependencies of a domain's functions. */
  deps: (domain: string) => object
  authenticate: Authenticate
  /** Returns the client's address; by default, one proxy before the functions is trusted. */
  addressOf?: AddressOf
  /** Limits the requests of callers; none if it is undefined. */
  limits?: Limits | undefined
  log: Logger
}

declare module 'hono' {
  interface ContextVariableMap {
    /** The validated request to an operation. */
    call: Awaited<ReturnType<typeof accept>> & { address: string; logSecurity: LogSecurity }
  }
}

/** Returns a Hono app that serves the given operations: those of one function, or of many. */
export function createApp({
  operations: served,
  deps,
  authenticate,
  addressOf = addressBehind('1'),
  limits,
  log,
}: AppOptions): Hono {
  const app = new Hono()
  const securityLog = openSecurityLog(log, addressOf)
  app.onError((error, c) => {
    const problem = toProblem(error, c, log)
    securityLog.refused(c, problem)
    return limited(c, (rateLimit) => problem.toResponse(rateLimit))
  })
  app.notFound(() => new Problem('not-found', { detail: gatewayProblems['not-found'].detail }).toResponse())
  app.use(wellFormed)
  const serve = (path: string, { row, run: operation, emits }: LoadedOperation) => {
    const max = operation.contract.maxBody ?? defaultMaxBody
    const given: { isSessionEnded?: IsSessionEnded } = deps(row.domain)
    const { isSessionEnded } = row.fresh ? given : {}
    if (row.fresh && isSessionEnded === undefined)
      throw new Error(
        `${operation.name} is fresh, but functions/${row.domain}/open.ts opens no isSessionEnded`,
      )
    const limitRequests = limits?.of(row)
    const streams = row.streams === undefined ? undefined : holdStreams(row.streams)
    app.on(
      row.method.toUpperCase(),
      [path],
      ...(limitRequests === undefined ? [] : [rateLimited]),
      ...(row.method === 'get' ? [] : [row.uploadMiB === undefined ? limit(max) : limitUpload(row)]),
      ...(row.method === 'get' && hasETag(operation) ? [notModified] : []),
      async (c, next) => {
        c.set('operation', operation.name)
        telemetry()?.handledBy({ function: operation.name, route: row.path })
        c.set('takeStream', () => streams?.take(c.get('user')?.id ?? addressOf(c)))
        const call = await accept(c, operation, row, {
          authenticate,
          limitRequests,
          isSessionEnded,
          deps: given,
        })
        c.set('call', { ...call, address: addressOf(c), logSecurity: securityLog.of(c) })
        await next()
      },
      inTime,
      async (c) => {
        const call = c.get('call')
        const cause = { domain: row.domain, emits, traceparent: call.traceparent, actor: call.actor }
        return operation.handle(call, onBehalfOf(given, cause))
      },
    )
  }
  // Hono prefers what was added first. In this order, literals come before parameters, which begin with a brace.
  const paths = Map.groupBy(served, ({ row }) => row.path)
  for (const [template, operations] of [...paths].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const path = template.replaceAll(/\{(\w+)\}/g, ':$1')
    for (const each of operations) serve(path, each)
    // before the next paths, so that none of them matches `path` with another method
    app.all(path, () => refuseMethod(operations.map(({ row }) => row.method.toUpperCase())))
  }
  return app
}

/** Says on every answer where the caller stands, once that is known. */
const rateLimited: MiddlewareHandler = async (c, next) => {
  await next()
  addRateLimit(c)
}

/** Refuses a request whose URL cannot be parsed, because of an odd Host such as 1.2.3.4.5. */
const wellFormed: MiddlewareHandler = (c, next) => {
  if (!URL.canParse(c.req.url)) throw malformedRequest()
  return next()
}

function refuseMethod(methods: string[]): never {
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods
  throw new Problem('method-not-allowed', {
    detail: gatewayProblems['method-not-allowed'].detail,
    headers: { allow: allow.toSorted().join(', ') },
  })
}

/**
 * Checks the caller and then the request, in the order in which a client can correct mistakes. Returns the
 * operation's call.
 * @throws Problem 400, 401, 403, 415 or 429
 */
async function accept(
  c: Context,
  operation: LoadedOperation['run'],
  row: OperationRow,
  {
    authenticate,
    limitRequests,
    isSessionEnded,
    deps,
  }: {
    authenticate: Authenticate
    limitRequests: LimitRequests | undefined
    isSessionEnded: IsSessionEnded | undefined
    deps: object
  },
) {
  const { name, contract } = operation
  const identify = async () =>
    (await authenticate(c.req.header('authorization'))) ?? (await contract.authenticate?.(c, deps))
  const user = await identify().catch(async (error: unknown) => {
    await limitRequests?.(c, undefined)
    throw error
  })
  c.set('user', user)
  await limitRequests?.(c, user)
  if (isSessionEnded !== undefined && user !== undefined) await refuseIfEnded(isSessionEnded, user)
  authorize(row.by, user)
  const { query, body } = contract.request
  const params = contract.request.params && checkPath(contract.request.params, c)
  const caching = cachingOf(row, operation, user)
  return {
    params,
    query: query && checkQuery(query, c),
    body: body && check(body, await readJson(c, body), 'body'),
    key:
      row.idempotent &&
      (await readIdempotencyKey(c, `${name}\n${fill(row.path, params)}`, user?.id ?? 'anyone', {
        // each line has a key of its own, made from this one
        withBody: row.uploadMiB === undefined,
      })),
    user,
    actor: actorOf(user),
    traceparent: telemetry()?.current()?.traceparent ?? traceparentOf(c.req.header('traceparent')),
    json: (value: unknown, status: 200, headers: Record<string, string> = {}) => {
      const link = c.get('link')
      const all: Record<string, string> = {
        'content-type': 'application/json',
        ...caching,
        ...(link !== undefined && { link }),
      }
      for (const [name, text] of Object.entries(headers)) all[name.toLowerCase()] = text
      const body = JSON.stringify(value)
      const response = limited(
        c,
        (rateLimit) => new Response(body, { status, headers: { ...all, ...rateLimit } }),
      )
      return row.idempotent ? keepable(response, { status, headers: all, body }) : response
    },
    empty: () => c.body(null, 204, caching),
    hono: c,
  }
}

/** Returns a path with the values of its parameters. */
const fill = (path: string, params: unknown) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (params as Record<string, string>)[name]!)

/**
 * Returns how an answer may be cached, unless the operation says otherwise. What a user reads may be kept by the user's
 * own client if it has an ETag; the client must ask each time whether it is current. What else a user reads, and each
 * answer to a change, such as new tokens, is not kept at all (RFC 9111, 5.2.2.5).
 */
function cachingOf(
  row: OperationRow,
  operation: LoadedOperation['run'],
  user: User | undefined,
): Record<string, string> {
  if (row.method !== 'get') return { 'cache-control': 'no-store' }
  if (user === undefined) return {}
  return { 'cache-control': hasETag(operation) ? 'private, no-cache' : 'no-store' }
}

/**
 * Refuses a body above the limit with a 413: by its Content-Length if there is one, otherwise after reading
 * it. A body without a length is always read to its end, which hono/body-limit does not do. Until then the
 * connection cannot be reused, and a proxy would reuse it.
 */
function limit(maxSize: number): MiddlewareHandler {
  const refuse = () => {
    throw new Problem('body-too-large', { detail: `Send at most ${maxSize / 1024} KiB.` })
  }
  return async (c, next) => {
    const length = c.req.header('content-length')
    // Node enforces the declared length, and reads the rest of a body that we do not read
    if (Number(length ?? 0) > maxSize) refuse()
    const { raw } = c.req
    if (c.req.header('transfer-encoding') !== undefined && raw.body !== null) {
      const body = await readUpTo(maxSize, raw.body).catch(refuseBroken)
      // the method comes from `raw`, and is never GET or HEAD
      // oxlint-disable-next-line no-invalid-fetch-options
      c.req.raw = new Request(raw, { body: body ?? refuse() })
    }
    await next()
  }
}

/**
 * Says how large the body of an operation may become that reads it line by line, and how long it may take. Refuses a
 * Content-Length above that with a 413.
 */
function limitUpload({ uploadMiB = 0, streamSeconds = 0 }: OperationRow): MiddlewareHandler {
  const maxBytes = uploadMiB * 1024 * 1024
  return async (c, next) => {
    if (Number(c.req.header('content-length') ?? 0) > maxBytes)
      throw new Problem('body-too-large', { detail: `Send at most ${uploadMiB} MiB.` })
    c.set('upload', { maxBytes, maxMs: streamSeconds * 1000 })
    await next()
  }
}

/**
 * Returns a 503 if an operation takes too long. The operation continues, and a client that retries with the
 * same key gets its result.
 */
const inTime = timeout(
  mostMs,
  () => new HTTPException(503, { message: `the operation is not done within ${mostMs} ms` }),
)

const hasETag = ({ contract }: LoadedOperation['run']) => contract.headers?.includes('ETag') === true
