import type { ServerResponse } from 'node:http'
import {
  gatewayProblemBody,
  gatewayProblems,
  type GatewayProblemName,
} from '../../functions/shared/http/gateway-problems.ts'
import { requestIdOf } from './headers.ts'

/**
 * Sends a problem document. If an answer has already begun, closes the connection instead.
 * @param headers additional headers, such as `Retry-After` (in whole seconds), `Allow` and `X-Request-Id`
 */
export function sendProblem(
  res: ServerResponse,
  name: GatewayProblemName,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  const body = gatewayProblemBody(name)
  res.writeHead(gatewayProblems[name].status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestIdOf(res.req),
    ...headers,
  })
  res.end(body)
}
