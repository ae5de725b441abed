import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isLoopback, isPublic } from './public-address.ts'

it.each([
  ['of this host', '0.0.0.0'],
  ['private', '10.1.2.3'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.0.1'],
  ['of carrier-grade NAT', '100.64.0.1'],
  ['of carrier-grade NAT', '100.127.255.255'],
  ['of loopback', '127.0.0.1'],
  ['of loopback', '127.255.255.254'],
  ['link-local, with the metadata of clouds', '169.254.169.254'],
  ['of protocols', '192.0.0.170'],
  ['of documentation', '192.0.2.1'],
  ['of documentation', '198.51.100.1'],
  ['of documentation', '203.0.113.1'],
  ['of benchmarks', '198.19.0.1'],
  ['of 6to4 relays', '192.88.99.1'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['of this host', '::'],
  ['of loopback', '::1'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['with a zone', '2606:4700::1111%eth0'],
  ['site-local', 'fec0::1'],
  ['unique local', 'fc00::1'],
  ['unique local, with the metadata of clouds', 'fd00:ec2::254'],
  ['multicast', 'ff02::1'],
  ['IPv4-mapped, private', '::ffff:10.0.0.1'],
  ['IPv4-mapped, loopback, in hexadecimal', '::ffff:7f00:1'],
  ['IPv4-mapped, public', '::ffff:8.8.8.8'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['of NAT64', '64:ff9b::10.0.0.1'],
  ['of NAT64, public', '64:ff9b::8.8.8.8'],
  ['of local NAT64', '64:ff9b:1::10.0.0.1'],
  ['of 6to4', '2002:a00:1::'],
  ['of Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['of documentation', '2001:db8::1'],
  ['of documentation', '3fff::1'],
  ['of discarded packets', '100::1'],
  ['no address', 'localhost'],
  ['no address', '0x7f.1'],
  ['no address', ''],
])('an address is not public that is %s: %s', (_, address) => {
  expect(isPublic(address)).toBe(false)
})

it.each(['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.1', '172.32.0.1', '223.255.255.255'])(
  'an address is public: %s',
  (address) => {
    expect(isPublic(address)).toBe(true)
  },
)

it.each(['2606:4700:4700::1111', '2a00:1450:4001::200e', '2400:cb00::1'])(
  'an address is public: %s',
  (address) => {
    expect(isPublic(address)).toBe(true)
  },
)

it('no way to write a private IPv4 address in IPv6 makes it public', () => {
  const byte = fc.integer({ min: 0, max: 255 })
  const privates = fc.oneof(
    fc.tuple(fc.constant(10), byte, byte, byte),
    fc.tuple(fc.constant(127), byte, byte, byte),
    fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
    fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
  )
  const prefixes = fc.constantFrom('::ffff:', '::', '64:ff9b::', '::ffff:0:', '64:ff9b:1::')
  fc.assert(
    fc.property(privates, prefixes, (bytes, prefix) => {
      const dotted = bytes.join('.')
      const [a, b, c, d] = bytes.map((one) => one.toString(16).padStart(2, '0'))
      expect([
        dotted,
        `${prefix}${dotted}`,
        `${prefix}${a}${b}:${c}${d}`,
        `2002:${a}${b}:${c}${d}::`,
      ]).toSatisfy((all: string[]) => all.every((one) => !isPublic(one)))
    }),
  )
})

it('only addresses of this machine are of loopback', () => {
  expect(['127.0.0.1', '127.1.2.3', '::1'].map(isLoopback)).toEqual([true, true, true])
  expect(['10.0.0.1', '127.example.com', '::ffff:127.0.0.1', 'localhost'].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
  ])
})
