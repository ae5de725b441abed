// The front of the local runner: it has each function's processes started, scaled and stopped as requests need them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createPool } from './pool.ts'
import type { Pool } from './pool.ts'
import { sendProblem } from './problem.ts'
import type { FunctionReport } from './report.ts'
import { createRouter } from './router.ts'
import type { Route } from './router.ts'

/** Knative's tick. */
const TICK_MS = 2000
/** After these two, every process has gone: close() takes less than 5 s. */
const CLOSE_DRAIN_MS = 3000
const CLOSE_GRACE_MS = 1500
const WARM_AT_ONCE = 4

export interface FunctionSpec {
  name: string
  /** Of an HTTP operation; without method and path (reactions to events) only `handleInternal` reaches the function. */
  method?: string
  /** `/api/v1/orders/{id}` */
  path?: string
  /** Requests one process takes at once (Knative's `containerConcurrency`); 0 is no limit. */
  concurrency: number
  minScale: number
  maxScale: number
}

export interface ActivatorOptions {
  functions: readonly FunctionSpec[]
  /** What to run for a function; FUNCTION and PORT are added to `env`. See `startInstance` for what it has to do. */
  spawn: (name: string) => { command: string; args: string[]; env: NodeJS.ProcessEnv }
  /** The stable window in seconds (default 60). */
  windowSeconds?: number
  /** Caps every function's own `maxScale`. */
  maxScale?: number
  /** Called with each line a function's process writes, and with why one ended. */
  log?: (name: string, line: string) => void
  /** Time between two scaling decisions, in milliseconds (default 2000). */
  tickMs?: number
}

export interface ScaleReport {
  windowSeconds: number
  functions: Record<string, FunctionReport>
}

export interface Activator {
  /** For clients: routes by method and path. */
  handle: (req: IncomingMessage, res: ServerResponse) => void
  /** For the event dispatcher and between functions: `/<function>/rest?query` goes to that function as `/rest?query`. */
  handleInternal: (req: IncomingMessage, res: ServerResponse) => void
  scale: () => ScaleReport
  /** Starts what is not running; rejects with the first start that fails. */
  warm: (names: readonly string[]) => Promise<void>
  /** Takes nothing new from clients, lets requests end for up to 3 s, and stops every process; takes at most 5 s. */
  close: () => Promise<void>
}

/**
 * Starts a process for a function when a request needs one, scales on concurrency as Knative's KPA does and stops what
 * is idle. Requests wait for a start rather than being refused. The caller owns the servers that call it.
 * @throws if two functions have the same name, or the same method and path.
 */
export function createActivator(options: ActivatorOptions): Activator {
  const { functions, windowSeconds = 60, tickMs = TICK_MS, log } = options
  const cap = options.maxScale ?? Infinity
  const pools = new Map<string, Pool>()
  const routes: Route[] = []
  for (const { name, method, path, concurrency, minScale, maxScale } of functions) {
    if (pools.has(name)) throw new Error(`Two functions are named ${name}`)
    const spawn = () => options.spawn(name)
    const scale = { minScale, maxScale: Math.min(maxScale, cap) }
    pools.set(name, createPool({ name, concurrency, ...scale, windowSeconds, spawn, log }))
    if (method !== undefined && path !== undefined) routes.push({ name, method, path })
  }
  const router = createRouter(routes)
  let closing: Promise<void> | undefined

  const tick = (): void => {
    for (const pool of pools.values()) pool.tick()
  }
  const ticking = setInterval(tick, tickMs)
  ticking.unref()
  // For those with a min scale.
  const first = setImmediate(tick)

  function handle(req: IncomingMessage, res: ServerResponse): void {
    if (closing) {
      sendProblem(res, 'shutting-down', { 'Retry-After': '1', Connection: 'close' })
      return
    }
    const target = originForm(req.url ?? '/')
    const query = target.indexOf('?')
    const match = router.match(req.method ?? 'GET', query === -1 ? target : target.slice(0, query))
    if ('name' in match) pools.get(match.name)?.accept(req, res, target)
    else if (match.allow.length > 0) sendProblem(res, 'method-not-allowed', { Allow: match.allow.join(', ') })
    else sendProblem(res, 'not-found')
  }

  function handleInternal(req: IncomingMessage, res: ServerResponse): void {
    const [, name = '', rest = ''] = /^\/([^/?]*)(.*)$/s.exec(originForm(req.url ?? '/')) ?? []
    const pool = pools.get(name)
    if (pool) pool.accept(req, res, rest.startsWith('/') ? rest : `/${rest}`)
    else sendProblem(res, 'not-found')
  }

  async function warm(names: readonly string[]): Promise<void> {
    const left = names.map((name) => {
      const pool = pools.get(name)
      if (!pool) throw new Error(`There is no function named ${name}`)
      return pool
    })
    // A few at a time: processes that start together take each other's time.
    const worker = async (): Promise<void> => {
      for (let pool = left.shift(); pool; pool = left.shift()) await pool.warm()
    }
    await Promise.all(Array.from({ length: WARM_AT_ONCE }, worker))
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

/** A request to a proxy names the whole URL (`GET http://host/path`). */
function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const url = URL.parse(target)
  return url ? url.pathname + url.search : '*'
}
