// The runner's own errors, as RFC 9457 problem documents.
import type { ServerResponse } from 'node:http'

interface Problem {
  status: number
  title: string
  detail: string
}

const problems = {
  'not-found': {
    status: 404,
    title: 'There is no such resource',
    detail: 'No function has this path: see /docs.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The resource has no such method',
    detail: 'This address takes other methods; the Allow header lists them.',
  },
  'bad-gateway': {
    status: 502,
    title: 'Bad gateway',
    detail: 'The function ended before it answered. Whether it did its work is not known.',
  },
  'gateway-timeout': {
    status: 504,
    title: 'Gateway timeout',
    detail: 'The function did not answer in time. Whether it did its work is not known.',
  },
  overloaded: { status: 503, title: 'Overloaded', detail: 'Too many requests are waiting. Try again later.' },
  'function-cannot-start': {
    status: 503,
    title: 'Function cannot start',
    detail: 'The function failed to start several times in a row. Try again later.',
  },
  'shutting-down': {
    status: 503,
    title: 'Shutting down',
    detail: 'The server is stopping. Try again later.',
  },
} as const satisfies Record<string, Problem>

export type ProblemType = keyof typeof problems

/**
 * Answers with a problem of type `https://zeroshop.dev/problems/<type>`, or ends the connection if an answer had begun.
 * `headers` come on top: `Retry-After` (whole seconds), `Allow`, `X-Request-Id`.
 */
export function sendProblem(
  res: ServerResponse,
  type: ProblemType,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  const { status, title, detail } = problems[type]
  const body = JSON.stringify({ type: `https://zeroshop.dev/problems/${type}`, title, status, detail })
  res.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  })
  res.end(body)
}
