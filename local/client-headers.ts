import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { maxTracestate, proxyHeaders } from '../functions/shared/http/proxy-headers.ts'

const prefixes = proxyHeaders.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))

/** Whether a client may not send the header. The name is in lower case. */
const isRefused = (name: string, headers: IncomingHttpHeaders) =>
  (proxyHeaders as readonly string[]).includes(name) ||
  prefixes.some((prefix) => name.startsWith(prefix)) ||
  (name === 'tracestate' && String(headers[name]).length > maxTracestate)

/** Removes the headers that a client may not send, as the gateways in front of containers do. */
export function removeProxyHeaders({ headers, rawHeaders }: IncomingMessage): void {
  const refused = new Set(Object.keys(headers).filter((name) => isRefused(name, headers)))
  if (refused.size === 0) return
  for (const name of refused) delete headers[name]
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2)
    if (refused.has(rawHeaders[i]!.toLowerCase())) rawHeaders.splice(i, 2)
}
