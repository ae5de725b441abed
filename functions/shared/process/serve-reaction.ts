import { cloudEvent } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import type { Logger } from 'pino'
import { fromCloudEvent } from '../../../events/cloud-event.ts'
import { runReaction } from '../../../events/reaction.ts'
import { failed, NotADelivery, openDelivery, problemOf } from '../../../events/receive.ts'
import { createVerifier, readKeys, type Verifier } from '../../../events/signature.ts'
import type { Problem } from '../http/problems.ts'
import { isSecurityProblem, logRefusedDelivery } from '../http/security-log.ts'
import { readUpTo } from '../http/read-up-to.ts'
import type { Config } from './config.ts'
import { loadReaction, type Entry, type LoadedReaction, type Opened } from './entry.ts'
import type { Listen } from './serve-operation.ts'
import { serverOptions, serveUntilTold } from './serve.ts'

/** The largest body, in bytes. Events are far smaller; the framework itself would accept a gigabyte. */
const maxBody = 1024 * 1024

/** Serves one reaction with the Functions Framework. */
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

/** The response to the current request. The framework does not pass it to a CloudEvents function. */
const answering = new AsyncLocalStorage<ServerResponse>()

/**
 * Returns a listener that runs a reaction as a CloudEvents function of the Functions Framework. The
 * framework's server comes from its `testing` entry, the only public one that exports it. This lets us drain
 * the server on SIGTERM, which the framework's own command does not do. A delivery is refused unless the
 * dispatcher has signed it; the framework gets it only after that. A reaction that fails returns 500.
 */
export function reactionListener(
  { row, run, emits, takes }: LoadedReaction,
  { deps }: Opened,
  verify: Verifier,
  log: Logger,
): RequestListener {
  // the function must have exactly one parameter: with two, the framework waits for a callback
  cloudEvent(row.name, async (received: CloudEventV1<unknown>) => {
    try {
      await runReaction(run, fromCloudEvent(received, takes), deps, { domain: row.domain, emits })
    } catch (error) {
      const { id, type, subject } = received
      log.warn({ err: error, event: id, type, subject }, 'reaction failed')
      // the framework itself returns only 500, and does nothing if the response has already been sent
      send(answering.getStore()!, problemOf(error))
      // not the error itself, nor as the cause: the framework prints it with the parameters of a failed query
      // oxlint-disable-next-line preserve-caught-error
      throw new Error(failed)
    }
  })
  const framework = getTestServer(row.name)
  return (request, response) => {
    const deliver = async () => {
      // the framework parses no body that has been read
      Object.assign(request, { body: openDelivery(verify, request.headers, await read(request)) })
      answering.run(response, () => framework.emit('request', request, response))
    }
    deliver().catch((error: unknown) => {
      if (error instanceof NotADelivery) {
        const [reason, address] = [error.message, request.socket.remoteAddress ?? 'unknown']
        if (!isSecurityProblem(error.problem)) log.warn({ reason, address }, 'delivery refused')
        else logRefusedDelivery(log, error.problem, { address, operation: row.name, reason })
        send(response, error.problem)
      }
      // otherwise the sender has gone away
      else response.destroy()
    })
  }
}

/** Reads the body of a request. @throws NotADelivery if it is too large */
async function read(request: IncomingMessage): Promise<Buffer> {
  // the rest of a body that is not read is discarded
  const isTooLarge = Number(request.headers['content-length'] ?? 0) > maxBody
  const body = isTooLarge ? undefined : await readUpTo(maxBody, request)
  if (body !== undefined) return body
  throw new NotADelivery('body-too-large', `An event has at most ${maxBody / 1024} KiB.`)
}

const send = (response: ServerResponse, problem: Problem) =>
  response.writeHead(problem.status, problem.headers).end(JSON.stringify(problem.toDocument()))
