import type { Server } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { openAuthenticator } from '../auth/keys.ts'
import { createApp } from '../http/app.ts'
import { malformedRequest, Problem } from '../http/problems.ts'
import { openAddressOf } from '../http/client-address.ts'
import { openLimits } from '../http/limits.ts'
import type { Config } from './config.ts'
import { loadOperation, type Entry, type Opened } from './entry.ts'
import type { Service } from './service.ts'
import { allowUploads } from '../http/uploads.ts'
import { observedServer, serveUntilTold } from './serve.ts'

/** Where a process listens, and its log. */
export interface Listen {
  port: number
  host: string | undefined
  log: Logger
}

/** Serves one HTTP operation with Hono. */
export async function serve(entry: Entry, opened: Opened, config: Config, listen: Listen) {
  const server = toServer(await appOf([entry], opened, config, listen.log))
  allowUploads(server, [entry.row])
  const revision = config.get('K_REVISION')
  // npm run canary reads from this header which version responded
  if (revision !== undefined)
    server.prependListener('request', (_, response) => response.setHeader('X-Revision', revision))
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}

/** Returns the app of a domain's operations, with health checks. */
export async function appOf(entries: Entry[], opened: Opened, config: Config, log: Logger): Promise<Hono> {
  const addressOf = openAddressOf(config)
  const app = createApp({
    operations: await Promise.all(entries.map(loadOperation)),
    deps: () => opened.deps,
    authenticate: openAuthenticator(config),
    addressOf,
    limits: openLimits(config, addressOf, () => opened.requestCounts, log),
    log,
  })
  addHealth(app, opened)
  return app
}

/**
 * `/health/liveness` succeeds if the process responds; `/health/readiness` succeeds if its stores do, too, and
 * says what is degraded.
 */
export function addHealth(app: Hono, { ping, degraded = () => [] }: Pick<Service, 'ping' | 'degraded'>) {
  app.get('/health/liveness', (c) => c.json({ status: 'ok' }))
  app.get('/health/readiness', async (c) => {
    // failing requests log the reason; the caller does not get it
    const isReady = await ping().then(
      () => true,
      () => false,
    )
    const failing = degraded()
    if (isReady && failing.length === 0) return c.json({ status: 'ok' })
    return c.json({ status: 'unavailable', ...(failing.length > 0 && { degraded: failing }) }, 503)
  })
}

/**
 * How requests come to an app. After the response, Node reads the rest of a request's body, for as long as a request may take. The
 * adapter's own clean-up would close the connection after half a second, before the client has read the
 * response.
 */
export const listenerOptions = {
  overrideGlobalObjects: true,
  autoCleanupIncoming: false,
  errorHandler: (error: unknown) => {
    // the adapter could not make a request of what came; everything else is caught by the app
    const problem = error instanceof RequestError ? malformedRequest() : new Problem('internal-error')
    return problem.toResponse()
  },
}

/** Returns an HTTP server for the app. */
export function toServer(app: Hono): Server {
  const listener = getRequestListener(app.fetch, listenerOptions)
  return observedServer((request, response) => void listener(request, response))
}

/** Serves only health checks, for a process that receives no other requests. */
export async function serveHealth(service: Service, listen: Listen) {
  const app = new Hono()
  addHealth(app, service)
  await serveUntilTold(toServer(app), { ...listen, checked: service.checked, close: service.close })
}
