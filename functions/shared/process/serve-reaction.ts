import { cloudEvent } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import type { Logger } from 'pino'
import { fromCloudEvent } from '../../../events/cloud-event.ts'
import { runReaction } from '../../../events/reaction.ts'
import type { Domain, ReactionName } from '../../functions.ts'
import { loadReaction } from '../../modules.ts'
import type { Config } from './config.ts'
import type { Opened } from '../open.ts'
import type { Listen } from './serve-operation.ts'
import { serverOptions, serveUntilTold } from './serve.ts'
import { isUnavailable, reasonOf, Unavailable } from '../store/store-errors.ts'

/** The body of an event is far smaller; the framework itself would take a gigabyte. */
const maxBody = 1024 * 1024

/** Serves one reaction with the Functions Framework. */
export async function serve(
  name: ReactionName,
  opened: Opened<Domain>,
  _config: Config,
  { entry, ...listen }: Listen,
) {
  const react = await reactionListener(name, opened, listen.log, entry)
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

/** What the request that is being handled is answered with: the framework does not hand it to a CloudEvents function. */
const answering = new AsyncLocalStorage<ServerResponse>()

/**
 * A reaction as a CloudEvents function of the Functions Framework. The framework's server is taken from its
 * `testing` entry, the only public one that hands it out: so it is drained on SIGTERM, which its own command is not.
 * It answers 503 where what it needs cannot be reached, and 500 where it cannot take the event.
 */
export async function reactionListener(
  name: ReactionName,
  { deps }: Opened<Domain>,
  log: Logger,
  entry: string,
): Promise<RequestListener> {
  const reaction = await loadReaction(name, entry)
  // exactly one parameter: with two, the framework waits for a callback
  cloudEvent(name, async (received: CloudEventV1<unknown>) => {
    const event = fromCloudEvent(received)
    try {
      await runReaction(reaction, event, deps)
    } catch (error) {
      log.warn({ err: error, event: event.id, type: event.type, subject: event.subject }, 'reaction failed')
      // the framework knows 500 only, and leaves alone what is answered
      if (isUnavailable(error)) answering.getStore()?.writeHead(503).end(whyOf(error))
      throw error
    }
  })
  const framework = getTestServer(name)
  return (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBody) response.writeHead(413).end()
    else answering.run(response, () => framework.emit('request', request, response))
  }
}

/** Never a query: its parameters are a customer's. */
const whyOf = (error: unknown) => (error instanceof Unavailable ? error.message : reasonOf(error).reason)
