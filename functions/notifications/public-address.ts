import { BlockList, isIP } from 'node:net'

/** Which addresses are on the public internet, by the registries of special-purpose addresses (RFC 6890). */

const special4 = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8], // this host
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, and the metadata of clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
] as const)
  special4.addSubnet(net, bits, 'ipv4')

/**
 * Global unicast. Nothing else is public: not loopback, link-local, unique local and multicast addresses, and neither
 * those that stand for IPv4 addresses (::ffff:0:0/96, ::/96, and 64:ff9b::/96 and 64:ff9b:1::/48 of NAT64).
 */
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

const special6 = new BlockList()
for (const [net, bits] of [
  ['2001::', 23], // protocol assignments, such as Teredo, which stands for IPv4 addresses
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which stands for IPv4 addresses
  ['3fff::', 20], // documentation
] as const)
  special6.addSubnet(net, bits, 'ipv6')

/** Whether an IP address is on the public internet. An address with a zone is not, and neither is any other text. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !special4.check(address, 'ipv4')
  if (family !== 6 || address.includes('%')) return false
  return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6')
}

/** Whether an IP address is one of this machine. */
export const isLoopback = (address: string): boolean => /^127\.\d+\.\d+\.\d+$|^::1$/.test(address)
