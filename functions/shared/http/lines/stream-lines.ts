import type { Context } from 'hono'
import { limited } from '../limits.ts'

/**
 * Returns a response that streams values as NDJSON. What comes next is only worked out when the client wants it, so that
 * one that reads slowly makes nothing pile up. It counts as a stream of the caller's until it ends or the client goes
 * away. HEAD gets the same headers and starts nothing.
 * @param groups the values, in groups that are sent together. If it throws, the connection is closed, so that the client
 *   sees that something is missing.
 * @throws Problem 429 if the caller holds as many streams as the operation's row allows
 */
export function streamLines(c: Context, groups: AsyncGenerator<object[]>): Response {
  const body = c.req.method === 'HEAD' ? null : encoded(groups, c.get('takeStream')() ?? (() => {}))
  const headers = {
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store',
    // nginx and others that know this header send each line on at once
    'x-accel-buffering': 'no',
  }
  return limited(c, (rateLimit) => new Response(body, { headers: { ...headers, ...rateLimit } }))
}

/** @param free is called when the stream ends, or the client goes away */
function encoded(groups: AsyncGenerator<object[]>, free: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await groups.next()
          if (done !== true) return controller.enqueue(Buffer.from(value.map(toLine).join('')))
        } catch (error) {
          free()
          throw error
        }
        free()
        controller.close()
      },
      async cancel() {
        free()
        await groups.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

const toLine = (value: object) => `${JSON.stringify(value)}\n`
