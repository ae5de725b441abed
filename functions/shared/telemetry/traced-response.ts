import {
  ServerResponse,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined

/**
 * A response that says the id of its trace. It adds the header when the head is written: if it were set before, Node
 * would set each of the others alone, which takes longer.
 */
export class TracedResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  traceId: string | undefined = undefined

  override writeHead(status: number, messageOrHeaders?: string | Headers, headers?: Headers): this {
    return typeof messageOrHeaders === 'string'
      ? super.writeHead(status, messageOrHeaders, this.#traced(headers))
      : super.writeHead(status, this.#traced(messageOrHeaders ?? headers))
  }

  #traced(headers: Headers): Headers {
    if (this.traceId === undefined) return headers
    if (Array.isArray(headers)) return [...headers, 'X-Trace-Id', this.traceId]
    return { ...headers, 'X-Trace-Id': this.traceId }
  }
}
