import type { Context } from 'hono'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import type { Logger } from 'pino'
import { loggable } from '../process/loggable.ts'

/**
 * Returns a response of server-sent events, which `tell` writes. HEAD gets the same headers and starts nothing.
 * If `tell` fails, the error is logged and the stream ends; the client connects again and resumes with its
 * Last-Event-ID.
 */
export function eventStream(
  c: Context,
  log: Logger,
  tell: (stream: SSEStreamingApi) => Promise<void>,
): Response {
  const response =
    c.req.method === 'HEAD'
      ? c.body(null, 200, { 'content-type': 'text/event-stream' })
      : streamSSE(c, (stream) =>
          // Hono would send the message of an error to the client
          tell(stream).catch((error: unknown) =>
            log.warn({ err: loggable(error), path: c.req.path }, 'the event stream failed'),
          ),
        )
  response.headers.set('cache-control', 'no-store')
  // nginx and others that know this header send each event on at once
  response.headers.set('x-accel-buffering', 'no')
  return response
}
