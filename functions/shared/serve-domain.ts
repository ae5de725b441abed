import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { operations, reactions, type Domain, type OperationName, type ReactionName } from '../functions.ts'
import { loadOperation } from '../modules.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { openAuthenticator, type Opened } from './open.ts'
import { addHealth, serverOptions, type Listen } from './serve-operation.ts'
import { reactionListener } from './serve-reaction.ts'
import { serveUntilTold } from './serve.ts'

/**
 * Serves every function of a domain in one process, for small machines. A request to a host that is named like a
 * reaction is for that reaction; every other is for the operations.
 */
export async function serve(domain: Domain, opened: Opened<Domain>, config: Config, listen: Listen) {
  const ofDomain = <N extends string>(table: Record<N, { domain: Domain }>) =>
    (Object.keys(table) as N[]).filter((name) => table[name].domain === domain)
  const app = createApp({
    operations: await Promise.all(
      ofDomain<OperationName>(operations).map((name) => loadOperation(name, listen.entry)),
    ),
    // opened for this domain
    deps: () => opened.deps as never,
    authenticate: openAuthenticator(config),
    log: listen.log,
  })
  addHealth(app, opened.ping)
  const operate = getRequestListener(app.fetch, { overrideGlobalObjects: true })
  const react = new Map(
    await Promise.all(
      ofDomain<ReactionName>(reactions).map(
        async (name) =>
          [name as string, await reactionListener(name, opened, listen.log, listen.entry)] as const,
      ),
    ),
  )
  const server = createServer(serverOptions, (request, response) => {
    const [host = ''] = request.headers.host?.split(':') ?? []
    const reaction = react.get(host)
    if (reaction === undefined) void operate(request, response)
    else reaction(request, response)
  })
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}
