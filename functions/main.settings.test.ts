import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openProcesses, type Environment, type Processes } from '../test/processes.ts'

let processes: Processes
let good: Environment
beforeAll(async () => {
  processes = await openProcesses()
  good = processes.good
})
afterEach(() => processes.killAll())
afterAll(() => processes.close())

describe('starting a process', () => {
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)))

  const cases: [what: string, env: () => Environment, says: string | RegExp][] = [
    [
      'without a function',
      () => without('FUNCTION'),
      'FUNCTION is not set: it is the function to serve, by its name in domain.ts. Set it, or FUNCTION_FILE.',
    ],
    [
      'with an unknown function',
      () => ({ ...good, FUNCTION: 'get-everything' }),
      /^FUNCTION=get-everything: there is no such function here\. Set it to one of: .*get-order, .*orders, .*reserve-stock, .*relay, dispatcher, payment-sandbox, migrate, admin, check-books, or run the image of that name\.$/,
    ],
    [
      'with a function named like a JavaScript property',
      () => ({ ...good, FUNCTION: 'constructor' }),
      /^FUNCTION=constructor: there is no such function here\./,
    ],
    [
      'without its database',
      () => without('DATABASE_URL'),
      'DATABASE_URL is not set: it is the PostgreSQL database, with the role of the domain. Set it, or DATABASE_URL_FILE.',
    ],
    [
      'with an empty setting',
      () => ({ ...good, DATABASE_URL: '' }),
      'DATABASE_URL is not set: it is the PostgreSQL database, with the role of the domain. Set it, or DATABASE_URL_FILE.',
    ],
    [
      'with an invalid database URL',
      () => ({ ...good, DATABASE_URL: 'secret' }),
      'DATABASE_URL is not a URL: it is the PostgreSQL database, with the role of the domain. Set it to scheme://user:password@host:port/path, with special characters in the password escaped, such as %2F for /.',
    ],
    [
      'with a password that is not percent-encoded',
      () => ({ ...good, DATABASE_URL: 'postgres://orders:s3cr/et@127.0.0.1:9/none' }),
      /^DATABASE_URL is not a URL: [^3]*$/,
    ],
    [
      'with a password that is badly encoded',
      () => ({ ...good, DATABASE_URL: 'postgres://orders:s3cr%zz@127.0.0.1:9/none' }),
      /^DATABASE_URL is not a URL: [^3]*$/,
    ],
    [
      'with unknown MongoDB options',
      () => ({
        ...good,
        FUNCTION: 'get-product',
        MONGODB_URL: 'mongodb://products:s3cret@127.0.0.1:9/x?no=1',
      }),
      'MONGODB_URL cannot be used: it is the MongoDB database, with the user of the domain. MongoDB’s driver says: option no is not supported.',
    ],
    [
      'without the keys of access tokens',
      () => without('JWT_PUBLIC_KEYS'),
      'JWT_PUBLIC_KEYS is not set: it is the keys that verify access tokens, as a JWK set. Set it, or JWT_PUBLIC_KEYS_FILE.',
    ],
    [
      'with keys that are not JSON',
      () => ({ ...good, JWT_PUBLIC_KEYS: '{' }),
      'JWT_PUBLIC_KEYS cannot be used: set it to the keys that verify access tokens, as a JWK set.',
    ],
    [
      'with an invalid JWK set',
      () => ({ ...good, JWT_PUBLIC_KEYS: '{"keys":1}' }),
      'JWT_PUBLIC_KEYS cannot be used: set it to the keys that verify access tokens, as a JWK set.',
    ],
    [
      'without the signing key',
      () => ({ ...good, FUNCTION: 'log-in' }),
      'JWT_PRIVATE_KEY is not set: it is the Ed25519 key that signs access tokens, as a JWK. Set it, or JWT_PRIVATE_KEY_FILE.',
    ],
    [
      'with a key that cannot sign',
      () => ({ ...good, FUNCTION: 'log-in', JWT_PRIVATE_KEY: '{"kty":"OKP"}' }),
      'JWT_PRIVATE_KEY cannot be used: set it to the Ed25519 key that signs access tokens, as a JWK.',
    ],
    [
      'with a secret that is not mounted',
      () => ({ ...without('DATABASE_URL'), DATABASE_URL_FILE: '/run/secrets/none' }),
      'DATABASE_URL_FILE: cannot read /run/secrets/none (ENOENT). Mount the secret there.',
    ],
    [
      'with a secret that is empty',
      () => ({ ...without('DATABASE_URL'), DATABASE_URL_FILE: '/dev/null' }),
      'DATABASE_URL_FILE: /dev/null is empty. It must contain the PostgreSQL database, with the role of the domain.',
    ],
    [
      'with a secret that is a folder',
      () => ({ ...good, JWT_PUBLIC_KEYS_FILE: '/tmp' }),
      'JWT_PUBLIC_KEYS_FILE: cannot read /tmp (EISDIR). Mount the secret there.',
    ],
    [
      'with an invalid port',
      () => ({ ...good, PORT: '70000' }),
      'PORT=70000: set it to a whole number from 0 to 65535.',
    ],
    [
      'with an address of another machine',
      () => ({ ...good, HOST: '192.0.2.1' }),
      'HOST is not an address of this machine. Set it to one that is, or leave it out.',
    ],
    [
      'with an unknown log level',
      () => ({ ...good, LOG_LEVEL: 'loud' }),
      'LOG_LEVEL=loud: set it to trace, debug, info, warn or error.',
    ],
    [
      'with an invalid duration',
      () => ({ ...good, ORDER_DEADLINE_SECONDS: 'soon' }),
      'ORDER_DEADLINE_SECONDS=soon: it is how long an order may wait for stock and payment; 900 if it is not set. Set it to a number above 0.',
    ],
    [
      'with the settings of another store',
      () => ({ ...good, FUNCTION: 'get-product' }),
      'MONGODB_URL is not set: it is the MongoDB database, with the user of the domain. Set it, or MONGODB_URL_FILE.',
    ],
    [
      'without the payment provider',
      () => ({ ...good, FUNCTION: 'authorize-payment' }),
      'PAYMENT_PROVIDER_URL is not set: it is the address of the payment provider. Set it, or PAYMENT_PROVIDER_URL_FILE.',
    ],
    [
      'without the keys of deliveries',
      () => ({ ...without('DELIVERY_KEYS'), FUNCTION: 'reserve-stock' }),
      'DELIVERY_KEYS is not set: it is the keys that sign what the dispatcher delivers to the domain, separated by spaces: each is whsec_ and 24 to 64 bytes in base64. Set it, or DELIVERY_KEYS_FILE.',
    ],
    [
      'with a key of deliveries that is too short',
      () => ({
        ...good,
        FUNCTION: 'reserve-stock',
        DELIVERY_KEYS: `${good['DELIVERY_KEYS']} whsec_c2hvcnQ=`,
      }),
      'DELIVERY_KEYS cannot be used: set it to the keys that sign what the dispatcher delivers to the domain, separated by spaces: each is whsec_ and 24 to 64 bytes in base64.',
    ],
    [
      'as the dispatcher without the keys of a domain',
      () => ({ ...without('STOCK_DELIVERY_KEYS'), FUNCTION: 'dispatcher' }),
      'STOCK_DELIVERY_KEYS is not set: it is the keys that sign what the dispatcher delivers to stock, separated by spaces: each is whsec_ and 24 to 64 bytes in base64. Set it, or STOCK_DELIVERY_KEYS_FILE.',
    ],
    [
      'without the broker',
      () => ({ ...good, FUNCTION: 'dispatcher' }),
      'NATS_URL is not set: it is the NATS server with JetStream. Set it, or NATS_URL_FILE.',
    ],
    [
      'with invalid retry delays',
      () => ({ ...good, FUNCTION: 'dispatcher', RETRY_DELAYS_SECONDS: '1,x' }),
      'RETRY_DELAYS_SECONDS=1,x: set it to seconds such as 1,5,30.',
    ],
  ]
  it.each(cases)('%s says so in one line and exits with 1', async (_, env, says) => {
    const said = await processes.refusal(env())
    if (typeof says === 'string') expect(said).toBe(says)
    else expect(said).toMatch(says)
  })

  it('prints one line and exits with 1 if the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const FUNCTION of ['get-order', 'reserve-stock']) {
      const said = await processes.refusal({ ...good, FUNCTION, PORT: String(port) })
      expect(said).toBe(`PORT=${port} is in use. Set PORT to a free port.`)
    }
    other.close()
  })
})
