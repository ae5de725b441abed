import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { HTTP } from 'cloudevents'
import { Hono } from 'hono'
import { pino } from 'pino'
import { fromCloudEvent } from '../events/cloud-event.ts'
import { runReaction } from '../events/reaction.ts'
import {
  operations,
  reactions,
  type Domain,
  type OperationName,
  type ReactionName,
} from '../functions/functions.ts'
import { loadOperation, loadReaction } from '../functions/modules.ts'
import { createApp } from '../functions/shared/http/app.ts'
import { readConfig } from '../functions/shared/process/config.ts'
import type { DepsOf } from '../functions/shared/deps.ts'
import { loggable } from '../functions/shared/process/loggable.ts'
import { open, openAuthenticator, type Opened } from '../functions/shared/open.ts'
import { listenerOptions } from '../functions/shared/process/serve-operation.ts'
import { startSandbox } from '../functions/payments/sandbox/server.ts'
import { openDispatcher } from '../events/dispatcher-main.ts'
import { openRelay } from '../events/relay-main.ts'
import type { Backend } from './backend.ts'
import type { Environment } from './environment.ts'

/** Every function in this process: for quick tests, and for a look with a debugger. */
export async function startInProcess(
  environment: Environment,
  write: (line: string) => void,
): Promise<Backend> {
  const log = pino(
    { level: 'warn', serializers: { err: loggable } },
    { write: (line: string) => write(line.trimEnd()) },
  )
  const one: Record<Domain, OperationName> = {
    users: 'log-in',
    products: 'get-product',
    stock: 'get-stock',
    orders: 'get-order',
    payments: 'get-payment',
  }
  const provider = readConfig(environment.ofService('payment-sandbox'))
  const sandbox = await startSandbox({
    port: environment.portOf('payment-sandbox'),
    host: '127.0.0.1',
    journal: provider.need('PAYMENT_SANDBOX_JOURNAL'),
    apiKey: provider.need('PAYMENT_PROVIDER_KEY'),
  })
  const opened = new Map<Domain, Opened<Domain>>()
  for (const [domain, name] of Object.entries(one) as [Domain, OperationName][])
    opened.set(domain, await open[domain](readConfig(environment.ofFunction(name)), log, domain))
  // the map is filled by domain
  const deps = <D extends Domain>(domain: D) => opened.get(domain)!.deps as DepsOf<D>
  const app = createApp({
    operations: await Promise.all(
      (Object.keys(operations) as OperationName[]).map((name) => loadOperation(name)),
    ),
    deps,
    authenticate: openAuthenticator(readConfig(environment.ofFunction('get-order'))),
    log,
  })

  const internal = new Hono()
  for (const name of Object.keys(reactions) as ReactionName[]) {
    const reaction = await loadReaction(name)
    internal.post(`/${name}`, async (c) => {
      const event = fromCloudEvent(
        HTTP.toEvent<unknown>({ headers: c.req.header(), body: await c.req.text() }) as never,
      )
      await runReaction(reaction, event, deps(reactions[name].domain))
      return c.body(null, 204)
    })
  }
  internal.onError((error, c) => {
    log.warn({ err: error }, 'reaction failed')
    return c.text(error.message, 500)
  })
  for (const name of Object.keys(operations)) internal.mount(`/${name}`, app.fetch)
  const [relay, dispatcher] = await Promise.all([
    openRelay(readConfig(environment.ofService('relay')), log),
    openDispatcher(readConfig(environment.ofService('dispatcher')), log),
  ])
  return {
    handle: asHandler(app),
    handleInternal: asHandler(internal),
    scale: () => ({ functions: {} }),
    processes: () => [],
    close: async () => {
      await Promise.all([relay.close(), dispatcher.close()])
      await Promise.all([...opened.values()].map((o) => o.close()))
      await sandbox.close()
    },
  }
}

const asHandler = (app: Hono) => {
  const listener = getRequestListener(app.fetch, listenerOptions)
  return (request: IncomingMessage, response: ServerResponse) => void listener(request, response)
}
