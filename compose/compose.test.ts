import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importJWK, jwtVerify, type JSONWebKeySet, type JWK } from 'jose'
import { uuidv7 } from 'uuidv7'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { functions, operations, reactions } from '../functions/table.ts'
import { createTokens } from '../functions/users/tokens.ts'
import { proxyHeaders } from '../functions/shared/http/proxy-headers.ts'
import { caddyfile } from './caddyfile.ts'
import { environmentOf, readArguments } from './compose.ts'
import { composeFile, groupedComposeFile, redisComposeFile } from './compose-file.ts'
import { toMib } from './memory.ts'
import { makeSecrets } from './secrets.ts'

interface Service {
  image: string
  user?: string
  cap_drop?: string[]
  cap_add?: string[]
  security_opt?: string[]
  read_only?: boolean
  privileged?: boolean
  profiles?: string[]
  networks: Record<string, { aliases?: string[] }>
}
interface Services {
  services: Record<string, Service>
}
const read = (text: string) => parse(text, { merge: true, maxAliasCount: -1 }) as Services

describe('npm run secrets', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zeroshop-secrets-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const all = () =>
    Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8').trim()]),
    )

  it('makes every file that compose mounts, in a folder that only its owner can read', async () => {
    const made = await makeSecrets(folder)
    const files = ['platform.yaml', 'monitoring.yaml', 'compose.redis.yaml'].map((name) =>
      readFileSync(join(import.meta.dirname, name), 'utf8'),
    )
    const mounted = [...files.join('\n').matchAll(/file: secrets\/(\S+)/g)].map(([, name]) => name)
    // of the last, the gateway has the hash
    const all = new Set([...mounted, 'gateway-admin-password'])
    expect(new Set(made)).toEqual(all)
    expect(new Set(readdirSync(folder))).toEqual(all)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it('makes different secrets each time, of at least 32 characters', async () => {
    await makeSecrets(folder)
    const first = all()
    rmSync(folder, { recursive: true })
    await makeSecrets(folder)
    for (const [name, value] of Object.entries(all())) {
      expect({ name, value }).not.toEqual({ name, value: first[name] })
      expect(value.length).toBeGreaterThanOrEqual(32)
    }
  })

  it('keeps existing secrets, and makes empty ones again', async () => {
    await makeSecrets(folder)
    const before = all()
    expect(await makeSecrets(folder)).toEqual([])
    chmodSync(join(folder, 'demo-password'), 0o644)
    writeFileSync(join(folder, 'demo-password'), '\n')
    expect(await makeSecrets(folder)).toEqual(['demo-password'])
    expect(all()).toEqual({ ...before, 'demo-password': expect.stringMatching(/^[\w-]{32}$/) as string })
  })

  it('makes missing secrets from those that they depend on', async () => {
    await makeSecrets(folder)
    const before = all()
    for (const name of ['admin-database-url', 'admin-mongodb-url', 'nats-authorization', 'jwt-public-keys'])
      rmSync(join(folder, name))
    expect(await makeSecrets(folder)).toHaveLength(4)
    expect(all()).toEqual(before)
  })

  it('makes a secret again if one that it contains is made again', async () => {
    await makeSecrets(folder)
    const before = all()
    const sources = ['postgres-password', 'mongodb-password', 'nats-url', 'jwt-private-key']
    for (const name of sources) rmSync(join(folder, name))
    // left by a run that was interrupted
    writeFileSync(join(folder, 'nats-url.new'), 'half', { mode: 0o444 })
    const made = await makeSecrets(folder)
    expect(made).toHaveLength(2 * sources.length)
    const after = all()
    for (const [name, value] of Object.entries(after))
      expect([name, value === before[name]]).toEqual([name, !made.includes(name)])
    expect(after['admin-database-url']).toContain(`:${after['postgres-password']}@`)
    expect(after['admin-mongodb-url']).toContain(`:${after['mongodb-password']}@`)
  })

  it('changes the URLs of an older shop to the pooler, and keeps their passwords', async () => {
    await makeSecrets(folder)
    const before = all()
    for (const name of readdirSync(folder).filter((file) => /-direct-url$|^pgbouncer/.test(file)))
      rmSync(join(folder, name))
    for (const [name, value] of Object.entries(before).filter(([file]) => file.endsWith('-database-url'))) {
      chmodSync(join(folder, name), 0o644)
      writeFileSync(join(folder, name), value.replace('@pgbouncer:', '@postgres:'))
    }
    await makeSecrets(folder)
    const { 'pgbouncer-password': password, 'pgbouncer-users': users, ...after } = all()
    expect(users).toBe(`"pgbouncer" "${password}"\n"monitoring" "${after['monitoring-password']}"`)
    const { 'pgbouncer-password': _, 'pgbouncer-users': __, ...same } = before
    expect(after).toEqual(same)
    expect(after['orders-direct-url']).toBe(
      after['orders-database-url']!.replace('@pgbouncer:', '@postgres:'),
    )
  })

  it('updates the direct URL of a role with its other one, but keeps URLs of other servers', async () => {
    const put = (name: string, value: string) => {
      rmSync(join(folder, name), { force: true })
      writeFileSync(join(folder, name), value)
    }
    await makeSecrets(folder)
    put('orders-database-url', 'postgres://orders:new@pgbouncer:5432/zeroshop')
    await makeSecrets(folder)
    expect(all()['orders-direct-url']).toBe('postgres://orders:new@postgres:5432/zeroshop')
    put('orders-database-url', 'postgres://orders:new@managed.example.com:6432/shop')
    await makeSecrets(folder)
    expect(all()['orders-direct-url']).toBe('postgres://orders:new@managed.example.com:6432/shop')
    put('orders-direct-url', 'postgres://orders:new@managed.example.com:5432/shop')
    expect(await makeSecrets(folder)).toEqual([])
  })

  it('makes keys that sign and verify', async () => {
    await makeSecrets(folder)
    const { 'jwt-private-key': privateKey, 'jwt-public-keys': publicKeys } = all()
    const keys = JSON.parse(publicKeys!) as JSONWebKeySet
    expect(publicKeys).not.toContain('"d"')
    const tokens = await createTokens(JSON.parse(privateKey!) as JWK, keys)
    const token = await tokens.sign({ id: uuidv7(), role: 'customer', session: uuidv7() })
    await expect(jwtVerify(token, await importJWK(keys.keys[0]!))).resolves.toHaveProperty('payload.role')
  })

  it('are never committed', () => {
    const ignored = execFileSync('git', ['check-ignore', 'compose/secrets/demo-password'], {
      encoding: 'utf8',
    })
    expect(ignored.trim()).toBe('compose/secrets/demo-password')
  })
})

describe('npm run compose', () => {
  it('passes everything from the command on to docker compose', () => {
    expect(readArguments([])).toMatchObject({
      compose: ['compose', '-f', 'compose/compose.yaml'],
      command: 'up',
      rest: [],
    })
    expect(readArguments(['--grouped', '--profile', 'core', 'logs', '-f', 'relay'])).toMatchObject({
      compose: ['compose', '-f', 'compose/compose.grouped.yaml', '--profile', 'core'],
      own: '--grouped --profile core',
      command: 'logs',
      rest: ['-f', 'relay'],
    })
    expect(readArguments(['--profile', 'core', '--profile', 'monitoring', 'ps'])).toMatchObject({
      compose: [
        'compose',
        '-f',
        'compose/compose.yaml',
        ...['core', 'monitoring'].flatMap((name) => ['--profile', name]),
      ],
      isMonitored: true,
    })
    expect(readArguments(['--profile', 'logging']).compose.slice(3)).toEqual(
      ['core', 'rest', 'logging'].flatMap((name) => ['--profile', name]),
    )
    expect(readArguments(['--redis', 'ps']).compose).toEqual([
      'compose',
      '-f',
      'compose/compose.yaml',
      '-f',
      'compose/compose.redis.yaml',
    ])
    expect(readArguments(['--profile', 'core', '--profile', 'cache', 'ps']).compose.slice(3)).toEqual([
      '-f',
      'compose/compose.redis.yaml',
      ...['core', 'cache'].flatMap((name) => ['--profile', name]),
    ])
    expect(readArguments(['up', '--scale', 'create-order=3']).rest).toEqual(['--scale', 'create-order=3'])
    expect(readArguments(['-h']).help).toBe(true)
  })

  it('refuses unknown options and profiles, and a SITE that is not the name of a host', () => {
    expect(() => readArguments(['--groupd'])).toThrow('--groupd')
    expect(() => readArguments(['--profile'])).toThrow('--profile')
    expect(() => readArguments(['--profile', 'cor'])).toThrow('There is no profile cor. Use core')
    expect(() => readArguments(['--grouped', '--redis'])).toThrow('leave out --grouped')
    expect(() => readArguments(['--grouped', '--profile', 'cache'])).toThrow('leave out --grouped')
    for (const SITE of ['https://shop.example.org', 'shop', 'a b.org', ':443'])
      expect(() => environmentOf({ SITE })).toThrow('is not the name of a host')
  })

  it('refuses CORS_ORIGINS that are not origins', () => {
    for (const CORS_ORIGINS of ['*', '', 'https://a.example', 'https://a.example,http://localhost:3000'])
      expect(environmentOf({ CORS_ORIGINS })).toEqual({ CORS_ORIGINS })
    for (const CORS_ORIGINS of ['a.example', 'https://a.example/', 'https://a.example *', '`'])
      expect(() => environmentOf({ CORS_ORIGINS })).toThrow('is not an origin')
  })

  it('listens on all addresses only if SITE is set', () => {
    expect(environmentOf({})).toEqual({})
    expect(environmentOf({ SITE: 'localhost' })).toEqual({ SITE: 'localhost' })
    expect(environmentOf({ SITE: 'shop.example.org' })).toEqual({
      SITE: 'shop.example.org',
      BIND: '0.0.0.0',
      HTTP_PORT: '80',
      HTTPS_PORT: '443',
    })
    expect(environmentOf({ SITE: 'shop.example.org', BIND: '10.0.0.1' })).toMatchObject({ BIND: '10.0.0.1' })
  })

  it('parses the sizes that docker prints', () => {
    expect(['1.5GiB', '20.6MiB', '512KiB', '0B', '1.048576MB'].map(toMib)).toEqual([1536, 20.6, 0.5, 0, 1])
    expect(() => toMib('--')).toThrow('not a size')
  })
})

describe.each(['compose', 'knative'] as const)('the gateway in %s', (where) => {
  it('removes the headers that only proxies may set before it passes a request on', () => {
    const [before] = caddyfile(where).split('reverse_proxy')
    for (const name of proxyHeaders) expect(before).toContain(`\n\t\trequest_header -${name}\n`)
  })
})

/** The few that run as root, with the capabilities that they need. */
const asRoot: Readonly<Record<string, string[]>> = {
  'prepare-volumes': ['CHOWN', 'DAC_READ_SEARCH'],
  'prepare-monitoring': ['CHOWN', 'DAC_READ_SEARCH'],
  'prepare-logs': ['CHOWN', 'DAC_READ_SEARCH'],
  // reads the lines of all containers where Docker has put them
  'log-collector': ['DAC_READ_SEARCH'],
}

describe.each([
  ['compose.yaml', composeFile],
  ['compose.grouped.yaml', groupedComposeFile],
  ['compose.redis.yaml', redisComposeFile],
  ['platform.yaml', () => readFileSync(join(import.meta.dirname, 'platform.yaml'), 'utf8')],
  ['monitoring.yaml', () => readFileSync(join(import.meta.dirname, 'monitoring.yaml'), 'utf8')],
])('a container of %s', (_, file) => {
  // compose.redis.yaml adds to services of compose.yaml, too
  const services = Object.entries(read(file()).services).filter(([, service]) => 'image' in service)

  it('has no capabilities, cannot get any, and has a read-only file system', () => {
    for (const [name, service] of services) {
      const { cap_drop, cap_add, security_opt, read_only, privileged } = service
      expect({ name, cap_drop, cap_add, security_opt, read_only, privileged }).toEqual({
        name,
        cap_drop: ['ALL'],
        cap_add: asRoot[name],
        security_opt: ['no-new-privileges:true'],
        read_only: true,
        privileged: undefined,
      })
    }
  })

  it('runs as a user that is not root, which our own images say themselves', () => {
    const users = services
      .filter(([, { image }]) => !image.startsWith('zeroshop/'))
      .map(([name, { user = 'root' }]): [string, string] => [name, user])
    for (const [name, user] of users)
      expect({ name, user }).toEqual({
        name,
        user: expect.stringMatching(name in asRoot ? /^0:0$/ : /^[1-9]\d*:[1-9]\d*$/) as string,
      })
  })
})

describe('compose.yaml', () => {
  it('has a service for each function, and a core profile with what an order needs', () => {
    const services = Object.entries(read(composeFile()).services)
    expect(services.map(([name]) => name)).toEqual(Object.keys(functions))
    const core = services.filter(([, { profiles }]) => profiles?.includes('core')).map(([name]) => name)
    // an event that no reaction handles becomes a dead letter
    for (const name of Object.keys(reactions)) expect(core).toContain(name)
    const expected = [
      'register-user',
      'log-in',
      'get-product',
      'list-products',
      'get-stock',
      'create-order',
      'get-order',
      'cancel-order',
      'decide-order',
      'ship-order',
      'get-order-timeline',
      'watch-order',
      'list-payments',
    ]
    expect(core.filter((name) => name in operations).toSorted()).toEqual(expected.toSorted())
  })

  it('gives Redis to every operation, and to no reaction', () => {
    const { gateway: _, 'redis-commander': page, ...services } = read(redisComposeFile()).services
    expect(Object.keys(services).toSorted()).toEqual(['redis', ...Object.keys(operations)].toSorted())
    for (const { networks } of Object.values(services)) expect(networks).toEqual(['redis'])
    // only with its profile
    expect(page).toMatchObject({ profiles: ['cache'], networks: ['redis', 'edge'] })
  })

  it('has the names of the functions as aliases of the grouped containers', () => {
    const { services } = read(groupedComposeFile())
    const aliases = Object.values(services).flatMap(({ networks }) =>
      ['edge', 'events'].flatMap((network) => networks[network]?.aliases ?? []),
    )
    expect(aliases.toSorted()).toEqual(Object.keys(functions).toSorted())
    // the payment sandbox calls this one by itself
    expect(services['payments']!.networks['provider']).toEqual({ aliases: ['receive-payment-webhook'] })
  })
})
