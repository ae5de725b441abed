import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { clientAddress, networkOf } from './client-address.ts'

const app = new Hono().get('/', (c) => c.text(clientAddress(c)))

const asked = async (forwarded?: string, remoteAddress?: string) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const env = remoteAddress === undefined ? {} : { incoming: { socket: { remoteAddress } } }
  return (await app.request('/', { headers }, env)).text()
}

it('returns the last forwarded address from outside, or the first, or that of the socket', async () => {
  expect(await asked('192.0.2.1, 198.51.100.7', '10.0.0.1')).toBe('198.51.100.7')
  expect(await asked('198.51.100.7', '10.0.0.1')).toBe('198.51.100.7')
  // the gateway, Knative's ingress and its activator
  expect(await asked('192.0.2.1, 198.51.100.7, 10.1.2.3, ::ffff:192.168.0.4, fd00::5')).toBe('198.51.100.7')
  expect(await asked('192.168.0.9, 10.1.2.3, 127.0.0.1')).toBe('192.168.0.9')
  expect(await asked('nonsense, 10.1.2.3')).toBe('nonsense')
  expect(await asked(undefined, '10.0.0.1')).toBe('10.0.0.1')
  expect(await asked('', '10.0.0.1')).toBe('10.0.0.1')
  expect(await asked()).toBe('unknown')
})

it.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['not an address', 'not an address'],
])('counts %s as %s', (address, network) => expect(networkOf(address)).toBe(network))

it('truncates a header that is longer than an address', async () => {
  expect(await asked('x'.repeat(1000))).toHaveLength(64)
})
