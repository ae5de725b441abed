import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Logger } from 'pino'
import { receive, tooLarge } from '../../../events/receive.ts'
import { createVerifier, readKeys, type Verifier } from '../../../events/signature.ts'
import { readUpTo } from '../http/read-up-to.ts'
import type { Config } from './config.ts'
import { loadReaction, type Entry, type LoadedReaction, type Opened } from './entry.ts'
import type { Listen } from './serve-operation.ts'
import { serverOptions, serveUntilTold } from './serve.ts'

/** The largest body, in bytes. Events are far smaller. */
const maxBody = 1024 * 1024

/** Serves one reaction. */
export async function serve(entry: Entry, opened: Opened, config: Config, listen: Listen) {
  const verify = createVerifier(readKeys(config, 'DELIVERY_KEYS'))
  const react = reactionListener(await loadReaction(entry), opened, verify, listen.log)
  const json = { 'content-type': 'application/json' }
  const server = createServer(serverOptions, (request, response) => {
    if (request.url === '/health/liveness') response.writeHead(200, json).end('{"status":"ok"}')
    else if (request.url === '/health/readiness')
      opened.ping().then(
        () => response.writeHead(200, json).end('{"status":"ok"}'),
        () => response.writeHead(503, json).end('{"status":"unavailable"}'),
      )
    else react(request, response)
  })
  await serveUntilTold(server, { ...listen, checked: opened.checked, close: opened.close })
}

/**
 * Returns a listener that hands deliveries to a reaction. It answers 204 when the event has been handled, and a problem
 * if the delivery is refused or the reaction fails.
 */
export function reactionListener(
  reaction: LoadedReaction,
  { deps }: Opened,
  verify: Verifier,
  log: Logger,
): RequestListener {
  const answer = async (request: IncomingMessage) => {
    const body = await read(request)
    if (body === undefined) return tooLarge(maxBody)
    const { headers, socket } = request
    return receive(reaction, { headers, body, from: socket.remoteAddress }, { deps, verify, log })
  }
  return (request, response) => {
    answer(request).then(
      (problem) => {
        if (problem === undefined) response.writeHead(204).end()
        else response.writeHead(problem.status, problem.headers).end(JSON.stringify(problem.toDocument()))
      },
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
