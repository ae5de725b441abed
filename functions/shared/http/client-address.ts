import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Context } from 'hono'
import type { Config } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'

/** Returns the network address of the client that sent a request, for limits and the log. */
export type AddressOf = (c: Context) => string

/** Returns whether a hop is a proxy of ours. Hop 0 is the connection, hop 1 the last in X-Forwarded-For, and so on. */
type IsTrusted = (address: string | undefined, hop: number) => boolean

/** Caddy's name for these ranges, so that a setting can be the same for both. */
const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', 'fd00::/8', '::1/128']

/**
 * Returns the client's address by the setting TRUSTED_PROXIES: what the last proxy that we trust has seen. Whatever is
 * before that in X-Forwarded-For, the client may have written.
 * @throws UserError if the setting cannot be used
 */
export const openAddressOf = (config: Config): AddressOf =>
  addressBehind(config.get('TRUSTED_PROXIES') ?? '1')

/**
 * @param trusted how many proxies there are before the function; or their addresses and ranges (CIDR), for when the
 *   number varies; `private_ranges` are those of private networks
 */
export function addressBehind(trusted: string): AddressOf {
  const isTrusted = /^\d{1,2}$/.test(trusted) ? closerThan(Number(trusted)) : within(trusted)
  return (c) => {
    const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').map(withoutPort)
    const hops = [socketAddress(c), ...forwarded.filter((address) => address !== '').toReversed()]
    const client = hops.find((address, hop) => !isTrusted(address, hop)) ?? hops.at(-1)
    return networkOf(client ?? 'unknown').slice(0, 64)
  }
}

/**
 * Returns an address without brackets and without the port that some balancers add. With the port, each connection
 * would be a network of its own.
 */
function withoutPort(text: string): string {
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(text.trim()) ?? []
  return inBrackets ?? plain ?? text.trim()
}

const closerThan =
  (hops: number): IsTrusted =>
  (_, hop) =>
    hop < hops

function within(ranges: string): IsTrusted {
  const list = new BlockList()
  for (const range of ranges
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((range) => (range === 'private_ranges' ? privateRanges : [range]))) {
    const [address = '', bits] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    const most = family === 'ipv6' ? 128 : 32
    if (isIP(address) === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)))
      throw unusable(ranges)
    list.addSubnet(address, Number(bits ?? most), family)
  }
  // an app that is called without a server has no connection
  return (address) => address === undefined || list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

const unusable = (ranges: string) =>
  new UserError(
    `TRUSTED_PROXIES=${ranges}: set it to the number of proxies before the functions, such as 1, or to their ranges, such as 10.0.0.0/8,fd00::/8.`,
  )

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
