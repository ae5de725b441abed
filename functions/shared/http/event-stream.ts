import type { Context } from 'hono'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import type { Logger } from 'pino'
import { loggable } from '../process/loggable.ts'
import type { Free } from './held-streams.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Counts a stream of the caller until it is freed. @throws Problem 429 if the caller holds too many */
    takeStream: () => Free | undefined
  }
}

/**
 * Returns a response of server-sent events, which `tell` writes. HEAD gets the same headers and starts nothing. The
 * stream counts as the caller's until it ends or the client goes away.
 * If `tell` fails, the error is logged and the stream ends; the client connects again and resumes with its
 * Last-Event-ID.
 * @throws Problem 429 if the caller holds as many streams as the operation's row allows
 */
export function eventStream(
  c: Context,
  log: Logger,
  tell: (stream: SSEStreamingApi) => Promise<void>,
): Response {
  const response =
    c.req.method === 'HEAD'
      ? c.body(null, 200, { 'content-type': 'text/event-stream' })
      : streamed(c, log, tell)
  response.headers.set('cache-control', 'no-store')
  // the server's to say, which closes it when the function stops
  response.headers.delete('connection')
  // nginx and others that know this header send each event on at once
  response.headers.set('x-accel-buffering', 'no')
  return response
}

function streamed(c: Context, log: Logger, tell: (stream: SSEStreamingApi) => Promise<void>): Response {
  const free = c.get('takeStream')() ?? (() => {})
  return streamSSE(c, async (stream) => {
    stream.onAbort(free)
    try {
      await tell(stream)
    } catch (error) {
      // Hono would send the message of an error to the client
      log.warn({ err: loggable(error), path: c.req.path }, 'the event stream failed')
    } finally {
      free()
    }
  })
}
