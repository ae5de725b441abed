import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Context } from 'hono'
import proxyAddr from 'proxy-addr'

/** Returns whether an address may be a hop between our gateway and a function, such as Knative's ingress. */
const isInside = proxyAddr.compile([
  'loopback',
  'uniquelocal',
  // carrier-grade NAT; this and the next are also used for pods and services
  '100.64.0.0/10',
  '198.18.0.0/15',
])

/**
 * Returns the client's address, for rate limits: the last address in X-Forwarded-For that is outside our
 * networks. The client could have written any address before it. If all are inside, it is the first. Without
 * the header it is the address of the socket.
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

/** Returns the address of the connection, or undefined if the app is called without a server. */
function socketAddress(c: Context): string | undefined {
  const env: { incoming?: { socket?: { remoteAddress?: string } } } | undefined = c.env
  return env?.incoming?.socket?.remoteAddress
}

/**
 * Returns an IPv4 address unchanged, and the /64 network of an IPv6 address: a subscriber can use all of its
 * 2^64 addresses.
 */
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
