import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Domain, OperationName } from '../../functions.ts'
import { loadOperation } from '../../modules.ts'
import { createApp } from '../http/app.ts'
import type { Config } from './config.ts'
import { openAuthenticator, type Opened } from '../open.ts'
import type { Service } from './service.ts'
import { serverOptions, serveUntilTold } from './serve.ts'

/** How a process listens. */
export interface Listen {
  port: number
  host: string | undefined
  log: Logger
  /** The URL of the process's entry, beside which the functions are found. */
  entry: string
}

/** Serves one HTTP operation with Hono. */
export async function serve(name: OperationName, opened: Opened<Domain>, config: Config, listen: Listen) {
  const server = toServer(await appOf([name], opened, config, listen))
  const revision = config.get('K_REVISION')
  // which version answered: npm run canary compares them
  if (revision !== undefined)
    server.prependListener('request', (_, response) => response.setHeader('X-Revision', revision))
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}

/** The app of operations of one domain, with health. */
export async function appOf(
  names: OperationName[],
  opened: Opened<Domain>,
  config: Config,
  { entry, log }: Listen,
): Promise<Hono> {
  const app = createApp({
    operations: await Promise.all(names.map((name) => loadOperation(name, entry))),
    // opened for the operations' own domain
    deps: () => opened.deps as never,
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
    // the caller is told only that it cannot; why is for the log of a request that fails
    const isReady = await ping().then(
      () => true,
      () => false,
    )
    return isReady ? c.json({ status: 'ok' }) : c.json({ status: 'unavailable' }, 503)
  })
}

/**
 * What is left of a body when its answer is sent is read by Node then, for as long as a request may take: the adapter's
 * own clean-up ends the connection after half a second, and the sender would see that before the answer.
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
