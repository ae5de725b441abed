/** The prefix of every problem's `type`; the problem's name follows it. */
export const typeBase = 'https://zeroshop.dev/problems/'

interface GatewayProblem {
  status: number
  title: string
  detail: string
  /** In seconds. */
  retryAfter?: number
}

/**
 * The problems that a gateway itself returns. They are defined here so that clients get the same from Caddy
 * and from the local activator. Apps return some of them as well. This file imports nothing, which keeps
 * gateways small.
 */
export const gatewayProblems = {
  'malformed-request': {
    status: 400,
    title: 'The request is not well formed',
    detail: 'Its first line, its Host, another header or its body is not as HTTP requires.',
  },
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
  'request-timeout': {
    status: 408,
    title: 'The request took too long',
    detail: 'It did not arrive as a whole in time. Send it again.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    detail: 'Send at most 1 MB.',
  },
  'misdirected-request': {
    status: 421,
    title: 'The shop is not at this host',
    detail: 'Send the request to the address of the shop, with its name as the Host.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    detail: 'Send at most 16 KiB of headers.',
  },
  'bad-gateway': {
    status: 502,
    title: 'Bad gateway',
    detail: 'The function ended before it answered. Whether it did its work is not known.',
  },
  'function-unavailable': {
    status: 503,
    title: 'The function is not there',
    detail: 'No container of the function answers. Try again later.',
    retryAfter: 5,
  },
  'gateway-timeout': {
    status: 504,
    title: 'Gateway timeout',
    detail: 'The function did not answer in time. Whether it did its work is not known.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'Too many requests are waiting. Try again later.',
  },
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
} as const satisfies Record<string, GatewayProblem>

export type GatewayProblemName = keyof typeof gatewayProblems

/** Returns the body of the response (RFC 9457). */
export function gatewayProblemBody(name: GatewayProblemName): string {
  const { status, title, detail } = gatewayProblems[name]
  return JSON.stringify({ type: typeBase + name, title, status, detail })
}
