// Receives all requests of the local runner, and starts, scales and stops the processes of each function.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { telemetry } from '../../functions/shared/telemetry/telemetry.ts'
import { createPool } from './pool.ts'
import type { Pool } from './pool.ts'
import type { Observer } from './observer.ts'
import { sendProblem } from './problem.ts'
import type { FunctionReport } from './report.ts'
import { createRouter } from './router.ts'
import type { Route } from './router.ts'

/** The default interval of Knative's autoscaler. */
const TICK_MS = 2000
/** How long close() waits for requests, and then for processes after SIGTERM, in ms. Together less than 5 s. */
const CLOSE_DRAIN_MS = 3000
const CLOSE_GRACE_MS = 1500
/**
 * How many processes start at the same time, of the operations and of the reactions of each store: people do not wait for
 * events, nor anything for the store of another. Many that start together slow each other down until they miss their
 * stores' time-outs, end, and are started again.
 */
export const startsAtOnce = Math.max(4, 2 * availableParallelism())
/** How long a process that starts, but waits for its store, keeps each of the others waiting at most, in ms. */
const LONGEST_TURN_MS = 2000

/** Returns a function that starts some processes at a time. */
function turns() {
  const limit = pLimit(startsAtOnce)
  return (start: () => Promise<void>) =>
    limit(() => Promise.race([start(), delay(LONGEST_TURN_MS, undefined, { ref: false })]))
}

export interface FunctionSpec {
  name: string
  /** Method and path of an HTTP operation. Reactions have neither: they are only reached through `handleInternal`. */
  method?: string
  /** For example `/api/v1/orders/{id}`. */
  path?: string
  /** The store that it waits for at its start. */
  store?: string
  /** How many requests a process handles at once (Knative's `containerConcurrency`); 0 means no limit. */
  concurrency: number
  minScale: number
  maxScale: number
}

export interface ActivatorOptions {
  functions: readonly FunctionSpec[]
  /** Returns the command that runs a function. `startInstance` adds FUNCTION and PORT to `env`. */
  spawn: (name: string) => { command: string; args: string[]; env: NodeJS.ProcessEnv }
  /** The stable window in seconds (default 60). */
  windowSeconds?: number
  /** An upper limit for the `maxScale` of every function. */
  maxScale?: number
  /** Called with each line that a process writes, and with the reason if a process ends unexpectedly. */
  log?: (name: string, line: string) => void
  observer?: Observer
  /** Time between two scaling decisions, in milliseconds (default 2000). */
  tickMs?: number
}

export interface ScaleReport {
  windowSeconds: number
  functions: Record<string, FunctionReport>
}

export interface Activator {
  /** Handles requests of clients, which are routed by method and path. */
  handle: (req: IncomingMessage, res: ServerResponse) => void
  /** Handles internal requests: `/<function>/rest?query` is sent to that function as `/rest?query`. */
  handleInternal: (req: IncomingMessage, res: ServerResponse) => void
  scale: () => ScaleReport
  /** Starts the functions that are not running. Rejects if one of them does not start. */
  warm: (names: readonly string[]) => Promise<void>
  /** Refuses new requests of clients, waits up to 3 s for the others, and stops all processes. Takes at most 5 s. */
  close: () => Promise<void>
}

/**
 * Starts processes of a function when requests need them, scales them on concurrency as Knative's autoscaler (KPA) does,
 * and stops them when they are idle. Requests wait while a process starts; a few start at a time. The caller provides the HTTP servers.
 * @throws if two functions have the same name, or the same method and path.
 */
export function createActivator(options: ActivatorOptions): Activator {
  const { functions, windowSeconds = 60, tickMs = TICK_MS, log, observer } = options
  const cap = options.maxScale ?? Infinity
  const pools = new Map<string, Pool>()
  const allTurns = new Map<string, ReturnType<typeof turns>>()
  const routes: Route[] = []
  for (const { name, method, path, store, concurrency, minScale, maxScale } of functions) {
    if (pools.has(name)) throw new Error(`Two functions are named ${name}`)
    const spawn = () => options.spawn(name)
    const kind = `${method === undefined ? 'reactions' : 'operations'} of ${store}`
    const turn = allTurns.get(kind) ?? turns()
    allTurns.set(kind, turn)
    const scale = { minScale, maxScale: Math.min(maxScale, cap) }
    pools.set(name, createPool({ name, concurrency, ...scale, windowSeconds, spawn, turn, log, observer }))
    if (method !== undefined && path !== undefined) routes.push({ name, method, path })
  }
  const router = createRouter(routes)
  const pathOf = new Map(routes.map(({ name, path }) => [name, path]))
  let closing: Promise<void> | undefined

  const tick = (): void => {
    for (const pool of pools.values()) pool.tick()
  }
  const ticking = setInterval(tick, tickMs)
  ticking.unref()
  // starts functions that have a min scale
  const first = setImmediate(tick)

  function handle(req: IncomingMessage, res: ServerResponse): void {
    if (closing) {
      sendProblem(res, 'shutting-down', { 'Retry-After': '1', Connection: 'close' })
      return
    }
    const target = originForm(req.url ?? '/')
    const query = target.indexOf('?')
    const match = router.match(req.method ?? 'GET', query === -1 ? target : target.slice(0, query))
    if ('name' in match) {
      telemetry()?.handledBy({ function: match.name, route: pathOf.get(match.name) })
      pools.get(match.name)?.accept(req, res, target)
    } else if (match.allow.length > 0)
      sendProblem(res, 'method-not-allowed', { Allow: match.allow.join(', ') })
    else sendProblem(res, 'not-found')
  }

  function handleInternal(req: IncomingMessage, res: ServerResponse): void {
    const [, name = '', rest = ''] = /^\/([^/?]*)(.*)$/s.exec(originForm(req.url ?? '/')) ?? []
    const pool = pools.get(name)
    if (pool) pool.accept(req, res, rest.startsWith('/') ? rest : `/${rest}`)
    else sendProblem(res, 'not-found')
  }

  async function warm(names: readonly string[]): Promise<void> {
    const chosen = names.map((name) => {
      const pool = pools.get(name)
      if (!pool) throw new Error(`There is no function named ${name}`)
      return pool
    })
    await Promise.all(chosen.map((pool) => pool.warm()))
  }

  async function stopAll(): Promise<void> {
    const busy = (): boolean => [...pools.values()].some((pool) => pool.busy() > 0)
    const deadline = performance.now() + CLOSE_DRAIN_MS
    while (busy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
    clearInterval(ticking)
    clearImmediate(first)
    await Promise.all([...pools.values()].map((pool) => pool.close(CLOSE_GRACE_MS)))
  }

  return {
    handle,
    handleInternal,
    warm,
    scale: () => ({
      windowSeconds,
      functions: Object.fromEntries([...pools].map(([name, pool]) => [name, pool.report()])),
    }),
    close: () => (closing ??= stopAll()),
  }
}

/** Returns the path and query of a request target, which is a whole URL in a request to a proxy (RFC 9112, section 3.2). */
function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const url = URL.parse(target)
  return url ? url.pathname + url.search : '*'
}
