import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { operations, reactions, type Domain, type OperationName, type ReactionName } from '../../functions.ts'
import type { Config } from './config.ts'
import type { Opened } from '../open.ts'
import { appOf, listenerOptions, type Listen } from './serve-operation.ts'
import { reactionListener } from './serve-reaction.ts'
import { serverOptions, serveUntilTold } from './serve.ts'

/**
 * Serves every function of a domain in one process, for small machines. A request to a host that is named like a
 * reaction is for that reaction; every other is for the operations.
 */
export async function serve(domain: Domain, opened: Opened<Domain>, config: Config, listen: Listen) {
  const ofDomain = <N extends string>(table: Record<N, { domain: Domain }>) =>
    (Object.keys(table) as N[]).filter((name) => table[name].domain === domain)
  const app = await appOf(ofDomain<OperationName>(operations), opened, config, listen)
  const operate = getRequestListener(app.fetch, listenerOptions)
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
