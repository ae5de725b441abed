import { request as overHttp, type IncomingMessage } from 'node:http'
import { request as overHttps } from 'node:https'
import { text } from 'node:stream/consumers'

/** How long connecting may take, in ms. */
const connectMs = 10_000

interface Post {
  headers: Record<string, string>
  body: Uint8Array
  /** How long it may take in all, in ms. */
  timeoutMs: number
}

/**
 * Sends a POST request, on a connection that is kept for the next one. It takes a fraction of the CPU time of `fetch`.
 * @returns the status and the body of the response
 * @throws an error with the code ETIMEDOUT if no connection was made in time
 */
export async function post(url: string, { headers, body, timeoutMs }: Post) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.startsWith('https:') ? overHttps : overHttp
    const request = send(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
      signal: AbortSignal.timeout(timeoutMs),
    })
    request.once('response', resolve).once('error', reject)
    request.once('socket', (socket) => {
      if (!socket.connecting) return
      const late = setTimeout(() => request.destroy(noConnection()), connectMs)
      for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(late))
    })
    request.end(body)
  })
  return { status: response.statusCode!, answer: await text(response) }
}

const noConnection = () =>
  Object.assign(new Error(`no connection within ${connectMs / 1000} s`), { code: 'ETIMEDOUT' })
