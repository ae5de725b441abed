import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { pino } from 'pino'
import { readKeys } from '../events/signature.ts'
import {
  domainNames,
  functionsOf,
  operations,
  reactions,
  rowOf,
  type OperationName,
  type ReactionName,
} from '../functions/table.ts'
import { openDomain, operationOf } from '../functions/source.ts'
import { createApp } from '../functions/shared/http/app.ts'
import { openAddressOf } from '../functions/shared/http/client-address.ts'
import { openLimits } from '../functions/shared/http/limits.ts'
import { readConfig } from '../functions/shared/process/config.ts'
import { loggable } from '../functions/shared/process/loggable.ts'
import { openAuthenticator } from '../functions/shared/auth/keys.ts'
import type { Opened } from '../functions/shared/process/entry.ts'
import { listenerOptions } from '../functions/shared/process/serve-operation.ts'
import { startSandbox } from '../functions/payments/sandbox/server.ts'
import { readWebhookOptions } from '../functions/payments/sandbox/webhooks.ts'
import { openDispatcher } from '../events/dispatcher-main.ts'
import { openRelay } from '../events/relay-main.ts'
import type { Backend } from './backend.ts'
import type { Environment } from './environment.ts'
import { reactionsApp } from './reactions.ts'

/** Runs all functions in this process, for quick tests and for debugging. */
export async function startInProcess(
  environment: Environment,
  write: (line: string) => void,
): Promise<Backend> {
  const log = pino(
    { level: 'warn', serializers: { err: loggable } },
    { write: (line: string) => write(line.trimEnd()) },
  )
  const provider = readConfig(environment.ofService('payment-sandbox'))
  const sandbox = await startSandbox({
    port: environment.portOf('payment-sandbox'),
    host: '127.0.0.1',
    journal: provider.need('PAYMENT_SANDBOX_JOURNAL'),
    apiKey: provider.need('PAYMENT_PROVIDER_KEY'),
    webhooks: readWebhookOptions(provider),
  })
  const opened = new Map<string, Opened>()
  for (const domain of domainNames) {
    const [any] = functionsOf(domain)
    const config = readConfig(environment.ofFunction(any!), rowOf(any!).settings)
    opened.set(domain, await openDomain(domain, config, log, domain))
  }
  const deps = (domain: string) => opened.get(domain)!.deps
  const shared = readConfig(environment.ofFunction('get-jwks'))
  const addressOf = openAddressOf(shared)
  const app = createApp({
    operations: await Promise.all((Object.keys(operations) as OperationName[]).map(operationOf)),
    deps,
    authenticate: openAuthenticator(shared),
    addressOf,
    limits: openLimits(shared, addressOf, (domain) => opened.get(domain)?.requestCounts, log),
    log,
  })

  const internal = await reactionsApp(Object.keys(reactions) as ReactionName[], {
    deps,
    keys: (name) => readKeys(readConfig(environment.ofFunction(name)), 'DELIVERY_KEYS'),
    log,
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
    degraded: async () => relay.degraded?.() ?? [],
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
