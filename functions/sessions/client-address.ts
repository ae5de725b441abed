import { isIPv6 } from 'node:net'
import type { Context } from 'hono'

/** Who calls, for limits: what our gateway, the last hop, added to X-Forwarded-For; without one, the socket. */
export function clientAddress(c: Context): string {
  const added = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim()
  return networkOf(added || socketAddress(c) || 'unknown').slice(0, 64)
}

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
