import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'

/** How a request to the collector ended. */
export interface Sent {
  /** `lost` if it may have arrived; `refused` if it has certainly not been taken, and may be sent again. */
  outcome: 'taken' | 'lost' | 'refused'
  /** How many of its items the collector says it has rejected. */
  rejected?: number
}

export interface Target {
  url: string
  headers: Readonly<Record<string, string>>
}

/** The statuses after which OTLP allows a client to send again. */
const retryable = new Set([429, 502, 503, 504])
/** How much of an answer is read, in bytes. */
const mostRead = 16 * 1024

/** Posts the parts of a JSON document to the collector. Never throws. */
export function send(
  { url, headers }: Target,
  parts: readonly (string | Uint8Array)[],
  timeoutMs: number,
): Promise<Sent> {
  const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
  return new Promise((resolve) => {
    const start = url.startsWith('https:') ? overHttps : overHttp
    const request = start(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-length': length },
    })
    const end = (sent: Sent) => {
      clearTimeout(timer)
      resolve(sent)
      request.destroy()
    }
    // also if the answer never ends
    const timer = setTimeout(() => end({ outcome: 'lost' }), timeoutMs).unref()
    request
      .on('error', (error: NodeJS.ErrnoException) =>
        end({ outcome: notConnected.has(error.code ?? '') ? 'refused' : 'lost' }),
      )
      .once('response', (response) => {
        const { statusCode = 0 } = response
        let text = ''
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => {
            text += chunk
            if (text.length > mostRead) end(outcomeOf(statusCode, ''))
          })
          .once('end', () => {
            clearTimeout(timer)
            resolve(outcomeOf(statusCode, text))
          })
          .on('error', () => end({ outcome: 'lost' }))
      })

    for (const part of parts) request.write(part)
    request.end()
  })
}

const notConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

function outcomeOf(status: number, answer: string): Sent {
  if (status >= 200 && status < 300) return { outcome: 'taken', rejected: rejectedIn(answer) }
  return { outcome: retryable.has(status) ? 'refused' : 'lost' }
}

/** Returns how many items the collector says it has rejected, in whatever it answers. */
function rejectedIn(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: Record<string, unknown> }
    const rejected = Number(partialSuccess?.['rejectedSpans'] ?? partialSuccess?.['rejectedDataPoints'] ?? 0)
    return rejected > 0 ? rejected : 0
  } catch {
    return 0
  }
}
