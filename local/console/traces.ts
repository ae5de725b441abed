import { readUpTo } from '../../functions/shared/http/read-up-to.ts'
import type { Handler } from '../front.ts'

/** Where the processes send their spans, below the internal server's address. */
export const otlpPath = '/_console/otlp'

/** How much is kept of what the processes have sent, in bytes. */
const mostKept = 4 * 1024 * 1024
/** The largest request, in bytes. */
const mostBytes = 1024 * 1024

export type Traces = ReturnType<typeof createTraces>

/** Receives spans as OTLP over HTTP in JSON, and keeps the latest as they came. They are read only if someone asks. */
export function createTraces() {
  const kept: Buffer[] = []
  let size = 0

  return {
    /** Has what processes send received, and passes all other requests on. */
    receiving:
      (next: Handler): Handler =>
      (request, response) => {
        const { url, method, headers } = request
        if (url?.startsWith(`${otlpPath}/`) !== true) return next(request, response)
        // a page of another site cannot send this type without asking first, which nobody answers
        const isOurs = method === 'POST' && headers['content-type'] === 'application/json'
        readUpTo(mostBytes, request).then(
          (body) => {
            if (isOurs && body !== undefined && url === `${otlpPath}/v1/traces`) keep(body)
            const status = isOurs ? 200 : 415
            response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}')
          },
          () => response.destroy(),
        )
      },
    /** Returns the requests with spans of a trace, oldest first. */
    with: (traceId: string): readonly Buffer[] => kept.filter((body) => body.includes(`"${traceId}"`)),
  }

  function keep(body: Buffer) {
    kept.push(body)
    size += body.length
    while (size > mostKept) size -= kept.shift()?.length ?? 0
  }
}
