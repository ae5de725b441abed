import { cloudEvent } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import type { Logger } from 'pino'
import { fromCloudEvent, InvalidEvent } from '../../../events/cloud-event.ts'
import { runReaction } from '../../../events/reaction.ts'
import { isUnavailable, reasonOf, Unavailable } from '../store/store-errors.ts'
import { loadReaction, type Entry, type LoadedReaction, type Opened } from './entry.ts'
import type { Listen } from './serve-operation.ts'
import { serverOptions, serveUntilTold } from './serve.ts'

/** The largest body, in bytes. Events are far smaller; the framework itself would accept a gigabyte. */
const maxBody = 1024 * 1024

/** Serves one reaction with the Functions Framework. */
export async function serve(entry: Entry, opened: Opened, listen: Listen) {
  const react = reactionListener(await loadReaction(entry), opened, listen.log)
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
 * the server on SIGTERM, which the framework's own command does not do. The response is 422 if the event is
 * invalid, 503 if something that the reaction needs cannot be reached, and 500 if the reaction fails.
 */
export function reactionListener(
  { row, run, emits, takes }: LoadedReaction,
  { deps }: Opened,
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
      const status = error instanceof InvalidEvent ? 422 : isUnavailable(error) ? 503 : undefined
      if (status !== undefined) answering.getStore()?.writeHead(status).end(whyOf(error))
      throw error
    }
  })
  const framework = getTestServer(row.name)
  return (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBody) response.writeHead(413).end()
    else answering.run(response, () => framework.emit('request', request, response))
  }
}

/**
 * Returns the reason for the response. It never contains a query, whose parameters may be a customer's data.
 */
const whyOf = (error: unknown) =>
  error instanceof Unavailable || error instanceof InvalidEvent ? error.message : reasonOf(error).reason
