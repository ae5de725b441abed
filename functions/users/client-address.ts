import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Context } from 'hono'
import proxyAddr from 'proxy-addr'

/** Whether an address belongs to a hop between our gateway and a function: Knative's ingress, its activator, a node. */
const isInside = proxyAddr.compile([
  'loopback',
  'uniquelocal',
  // shared between providers and, like the next, used for pods and services
  '100.64.0.0/10',
  '198.18.0.0/15',
])

/**
 * The caller's address, for limits: the last one of X-Forwarded-For that is not of our own network, since anyone could
 * have written those before it. If all are ours, it is the first; without the header, the socket's.
 */
export function clientAddress(c: Context): string {
  const request = {
    headers: { 'x-forwarded-for': c.req.header('x-forwarded-for') },
    socket: { remoteAddress: socketAddress(c) },
  } as unknown as IncomingMessage
  // only our gateway reaches a function, so the socket (hop 0) is always ours
  const client: string | undefined = proxyAddr(request, (address, hop) => hop === 0 || isInside(address, hop))
  return networkOf(client ?? 'unknown').slice(0, 64)
}

/** Undefined if the app is called without a server, which puts Node's request here. */
function socketAddress(c: Context): string | undefined {
  const env: { incoming?: { socket?: { remoteAddress?: string } } } | undefined = c.env
  return env?.incoming?.socket?.remoteAddress
}

/** An IPv4 address, or the /64 network of an IPv6 one, of which a subscriber has all 2^64 addresses. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [left, right] = address
    .replace(/%.*/, '')
    .split('::')
    .map((part) => part.split(':').filter(Boolean))
  const skipped = right === undefined ? 0 : 8 - left!.length - right.length
  const groups = [...left!, ...Array<string>(skipped).fill('0'), ...(right ?? [])]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
