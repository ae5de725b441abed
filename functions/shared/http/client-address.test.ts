import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { addressBehind, networkOf, openAddressOf } from './client-address.ts'
import { readConfig } from '../process/config.ts'

const ask = async (trusted: string, forwarded?: string, remoteAddress?: string) => {
  const addressOf = addressBehind(trusted)
  const app = new Hono().get('/', (c) => c.text(addressOf(c)))
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const env = remoteAddress === undefined ? {} : { incoming: { socket: { remoteAddress } } }
  return (await app.request('/', { headers }, env)).text()
}

describe('with a number of trusted proxies, the client', () => {
  it.each([
    // behind the gateway, which adds the address that it sees
    ['1', '198.51.100.7', '10.0.0.1', '198.51.100.7'],
    // forged in all kinds of ways
    ['1', '192.0.2.1, 198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['1', '127.0.0.1, 10.0.0.1, 198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['1', '192.0.2.1,, ,198.51.100.7', '10.0.0.1', '198.51.100.7'],
    // a balancer that rewrites the source: what the client claims is not believed
    ['1', '192.0.2.1, 10.0.0.9', '10.0.0.1', '10.0.0.9'],
    ['2', '192.0.2.1, 198.51.100.7, 10.0.0.9', '10.0.0.1', '198.51.100.7'],
    // nothing in front: the header is the client's own
    ['0', '192.0.2.1', '198.51.100.7', '198.51.100.7'],
    // fewer proxies than expected
    ['3', '198.51.100.7', '10.0.0.1', '198.51.100.7'],
    // balancers that add the port of the connection
    ['1', '192.0.2.1:80, 198.51.100.7:51234', '10.0.0.1', '198.51.100.7'],
    ['1', '[2001:db8::1]:51234', '10.0.0.1', '2001:db8:0:0::/64'],
    ['1', '[2001:db8::1]', '10.0.0.1', '2001:db8:0:0::/64'],
    ['1', '2001:db8::1', '10.0.0.1', '2001:db8:0:0::/64'],
    ['1', undefined, '10.0.0.1', '10.0.0.1'],
    ['1', '', '10.0.0.1', '10.0.0.1'],
    ['1', undefined, undefined, 'unknown'],
  ])('behind %s, with %j from %s, is %s', async (trusted, forwarded, socket, client) =>
    expect(await ask(trusted, forwarded, socket)).toBe(client),
  )
})

describe('with ranges of trusted proxies, the client', () => {
  const cluster = 'private_ranges, 100.64.0.0/10'
  it.each([
    [cluster, '192.0.2.1, 198.51.100.7', '10.0.0.1', '198.51.100.7'],
    // the gateway, Knative's ingress and its activator
    [cluster, '192.0.2.1, 198.51.100.7, 10.1.2.3, ::ffff:192.168.0.4, fd00::5', '10.0.0.1', '198.51.100.7'],
    [cluster, '198.51.100.7, 100.64.3.2', '::ffff:10.0.0.1', '198.51.100.7'],
    [cluster, '192.0.2.1, 198.51.100.7:4711, 10.1.2.3:4712, [fd00::5]:4713', '10.0.0.1', '198.51.100.7'],
    // all are inside: the first
    [cluster, '192.168.0.9, 10.1.2.3, 127.0.0.1', '10.0.0.1', '192.168.0.9'],
    // a connection that is not from a proxy of ours
    [cluster, '192.0.2.1', '198.51.100.7', '198.51.100.7'],
    ['10.1.0.0/16', '192.0.2.1, 10.2.0.9', '10.1.0.1', '10.2.0.9'],
    ['203.0.113.5 2001:db8::/32', '192.0.2.1, 203.0.113.5', '2001:db8::1', '192.0.2.1'],
    [cluster, 'nonsense, 10.1.2.3', undefined, 'nonsense'],
    [cluster, undefined, '10.0.0.1', '10.0.0.1'],
  ])('in %s, with %j from %s, is %s', async (trusted, forwarded, socket, client) =>
    expect(await ask(trusted, forwarded, socket)).toBe(client),
  )
})

it.each(['-1', '100', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'gateway', '10.0.0.0/x', '10.0.0.0/'])(
  'refuses the setting TRUSTED_PROXIES=%s',
  (TRUSTED_PROXIES) =>
    expect(() => openAddressOf(readConfig({ TRUSTED_PROXIES }))).toThrow(
      `TRUSTED_PROXIES=${TRUSTED_PROXIES}: set it to the number of proxies before the functions, such as 1, or to their ranges, such as 10.0.0.0/8,fd00::/8.`,
    ),
)

it('trusts one proxy if nothing is set: the gateway', async () => {
  const addressOf = openAddressOf(readConfig({}))
  const app = new Hono().get('/', (c) => c.text(addressOf(c)))
  const headers = { 'x-forwarded-for': '10.0.0.5, 198.51.100.7' }
  expect(await (await app.request('/', { headers })).text()).toBe('198.51.100.7')
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
  expect(await ask('1', 'x'.repeat(1000))).toHaveLength(64)
})
