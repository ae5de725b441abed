import { BlockList, isIPv6 } from 'node:net'
import type { Context } from 'hono'

/** Where the hops between our gateway and a function are: the gateway, Knative's ingress and its activator. */
const inside = new BlockList()
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  // shared between providers and, like the next, used for pods and services
  ['100.64.0.0', 10],
  ['198.18.0.0', 15],
] as const)
  inside.addSubnet(network, prefix, 'ipv4')
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addAddress('::1', 'ipv6')

/**
 * Who calls, for limits: the last address of X-Forwarded-For that is not of our own network, since what is before it
 * anyone could have written. Where all are, the first, with which our gateway began; without the header, the socket.
 */
export function clientAddress(c: Context): string {
  const hops = (c.req.header('x-forwarded-for') ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '')
  const client = hops.findLast((hop) => !isInside(hop)) ?? hops[0]
  return networkOf(client ?? socketAddress(c) ?? 'unknown').slice(0, 64)
}

// what is no address at all is in no network
const isInside = (hop: string) => inside.check(hop, isIPv6(hop) ? 'ipv6' : 'ipv4')

/** The server puts Node's request here; there is none where an app is called without a server. */
function socketAddress(c: Context): string | undefined {
  const env: { incoming?: { socket?: { remoteAddress?: string } } } | undefined = c.env
  return env?.incoming?.socket?.remoteAddress
}

/** An IPv4 address, or the /64 network of an IPv6 one: a subscriber has all of its 2^64 addresses. */
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
