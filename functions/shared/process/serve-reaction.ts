import type { IncomingMessage, RequestListener } from 'node:http'
import type { Logger } from 'pino'
import { answerOf, openReceiver, tooLarge, type Answer } from '../../../events/receive.ts'
import { createVerifier, readKeys, type Verifier } from '../../../events/signature.ts'
import { readUpTo } from '../http/read-up-to.ts'
import type { Config } from './config.ts'
import { loadReaction, type Entry, type LoadedReaction, type Opened } from './entry.ts'
import type { Listen } from './serve-operation.ts'
import { observedServer, serveUntilTold } from './serve.ts'

/** The largest body, in bytes. The dispatcher’s batches are smaller. */
const maxBody = 1024 * 1024

/** Serves one reaction. */
export async function serve(entry: Entry, opened: Opened, config: Config, listen: Listen) {
  const verify = createVerifier(readKeys(config, 'DELIVERY_KEYS'))
  const react = reactionListener(await loadReaction(entry), opened, verify, listen.log)
  const json = { 'content-type': 'application/json' }
  const listener: RequestListener = (request, response) => {
    if (request.url === '/health/liveness') response.writeHead(200, json).end('{"status":"ok"}')
    else if (request.url === '/health/readiness')
      opened.ping().then(
        () => response.writeHead(200, json).end('{"status":"ok"}'),
        () => response.writeHead(503, json).end('{"status":"unavailable"}'),
      )
    else react(request, response)
  }
  const server = observedServer(listener, { route: '/' })
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}

/** Returns a listener that hands deliveries to a reaction (events/receive.ts). */
export function reactionListener(
  reaction: LoadedReaction,
  { deps }: Opened,
  verify: Verifier,
  log: Logger,
): RequestListener {
  const receive = openReceiver(reaction, { deps, verify, log })
  const handle = async (request: IncomingMessage): Promise<Answer> => {
    const body = await read(request)
    if (body === undefined) return answerOf(tooLarge(maxBody))
    const { headers, socket } = request
    return receive({ headers, body, from: socket.remoteAddress })
  }
  return (request, response) => {
    handle(request).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      // the sender has gone away
      () => response.destroy(),
    )
  }
}

/** Returns the body of a request, or undefined if it is too large. The rest of a body that is not read is discarded. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const isTooLarge = Number(request.headers['content-length'] ?? 0) > maxBody
  return isTooLarge ? undefined : readUpTo(maxBody, request)
}
