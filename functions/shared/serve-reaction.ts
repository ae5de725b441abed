import { cloudEvent } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { createServer } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import { fromCloudEvent } from '../../events/cloud-event.ts'
import { runReaction } from '../../events/reaction.ts'
import type { Domain, ReactionName } from '../functions.ts'
import { loadReaction } from '../modules.ts'
import type { Config } from './config.ts'
import type { Opened } from './open.ts'
import type { Listen } from './serve-operation.ts'
import { serveUntilTold } from './serve.ts'

/** The body of an event is far smaller; the framework itself would take a gigabyte. */
const maxBody = 1024 * 1024

/**
 * Serves one reaction with the Functions Framework. Its server is taken from the framework's `testing` entry,
 * the only public one that hands it out: so it is drained on SIGTERM, which the framework's own command is not.
 */
export async function serve(
  name: ReactionName,
  opened: Opened<Domain>,
  _config: Config,
  { log, entry, ...listen }: Listen,
) {
  const reaction = await loadReaction(name, entry)
  // exactly one parameter: with two, the framework waits for a callback
  cloudEvent(name, async (received: CloudEventV1<unknown>) => {
    const event = fromCloudEvent(received)
    try {
      await runReaction(reaction, event, opened.deps)
    } catch (error) {
      log.warn({ err: error, event: event.id, type: event.type, subject: event.subject }, 'reaction failed')
      throw error
    }
  })
  const framework = getTestServer(name)
  const json = { 'content-type': 'application/json' }
  const server = createServer((request, response) => {
    if (request.url === '/health/liveness') response.writeHead(200, json).end('{"status":"ok"}')
    else if (request.url === '/health/readiness')
      opened.ping().then(
        () => response.writeHead(200, json).end('{"status":"ok"}'),
        () => response.writeHead(503, json).end('{"status":"unavailable"}'),
      )
    else if (Number(request.headers['content-length'] ?? 0) > maxBody) response.writeHead(413).end()
    else framework.emit('request', request, response)
  })
  server.keepAliveTimeout = 75_000
  await serveUntilTold(server, { ...listen, log, close: opened.close })
}
