import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { openAuthenticator } from '../auth/keys.ts'
import { createApp } from '../http/app.ts'
import type { Config } from './config.ts'
import { loadOperation, type Entry, type Opened } from './entry.ts'
import type { Service } from './service.ts'
import { serverOptions, serveUntilTold } from './serve.ts'

/** How a process listens. */
export interface Listen {
  port: number
  host: string | undefined
  log: Logger
}

/** Serves one HTTP operation with Hono. */
export async function serve(entry: Entry, opened: Opened, config: Config, listen: Listen) {
  const server = toServer(await appOf([entry], opened, config, listen.log))
  const revision = config.get('K_REVISION')
  // tells npm run canary which version answered
  if (revision !== undefined)
    server.prependListener('request', (_, response) => response.setHeader('X-Revision', revision))
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}

/** The app of operations of one domain, with health. */
export async function appOf(entries: Entry[], opened: Opened, config: Config, log: Logger): Promise<Hono> {
  const app = createApp({
    operations: await Promise.all(entries.map(loadOperation)),
    deps: () => opened.deps,
    authenticate: openAuthenticator(config),
    log,
  })
  addHealth(app, opened.ping)
  return app
}

/** `/health/liveness`: the process answers. `/health/readiness`: and its store does. */
function addHealth(app: Hono, ping: () => Promise<void>) {
  app.get('/health/liveness', (c) => c.json({ status: 'ok' }))
  app.get('/health/readiness', async (c) => {
    // the reason is in the log of the requests that fail, and no business of the caller
    const isReady = await ping().then(
      () => true,
      () => false,
    )
    return isReady ? c.json({ status: 'ok' }) : c.json({ status: 'unavailable' }, 503)
  })
}

/**
 * Node reads what is left of a request's body after its answer, for as long as a request may take. The adapter's own
 * clean-up would end the connection after half a second, before the sender has seen the answer.
 */
export const listenerOptions = { overrideGlobalObjects: true, autoCleanupIncoming: false }

/** The app as an HTTP server. */
export function toServer(app: Hono): Server {
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...listenerOptions,
    serverOptions,
  })
  return server as Server
}

/** Serves nothing but health, for a process that is not called. */
export async function serveHealth({ ping, checked, close }: Service, listen: Listen) {
  const app = new Hono()
  addHealth(app, ping)
  await serveUntilTold(toServer(app), { ...listen, checked, close })
}
