import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { createVerifier, readKeys } from '../../../events/signature.ts'
import { telemetry } from '../telemetry/telemetry.ts'
import type { Config } from './config.ts'
import { isOperation, loadReaction, type Entry, type Opened } from './entry.ts'
import { appOf, listenerOptions, type Listen } from './serve-operation.ts'
import { reactionListener } from './serve-reaction.ts'
import { allowUploads } from '../http/uploads.ts'
import { observedServer, serveUntilTold } from './serve.ts'

/**
 * Serves every function of a domain in one process, for small machines. If the host of a request is the name
 * of a reaction, that reaction handles it. The operations handle all other requests.
 */
export async function serve(entries: Entry[], opened: Opened, config: Config, listen: Listen) {
  const { true: operations = [], false: reactions = [] } = Object.groupBy(entries, ({ row }) =>
    isOperation(row) ? 'true' : 'false',
  )
  const app = await appOf(operations, opened, config, listen.log)
  const operate = getRequestListener(app.fetch, listenerOptions)
  // a domain without reactions has no keys
  const verify = reactions.length === 0 ? undefined : createVerifier(readKeys(config, 'DELIVERY_KEYS'))
  const react = new Map(
    await Promise.all(
      reactions.map(
        async (entry) =>
          [entry.row.name, reactionListener(await loadReaction(entry), opened, verify!, listen.log)] as const,
      ),
    ),
  )
  const listener: RequestListener = (request, response) => {
    const [host = ''] = request.headers.host?.split(':') ?? []
    const reaction = react.get(host)
    // the dispatcher also requests the health of a reaction, to start it
    if (reaction === undefined || request.method !== 'POST') void operate(request, response)
    else {
      telemetry()?.handledBy({ function: host, route: '/' })
      reaction(request, response)
    }
  }
  const server = observedServer(listener)
  allowUploads(
    server,
    operations.map(({ row }) => row),
  )
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}
