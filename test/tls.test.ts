import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { placeOrder } from '../demo/client/orders.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { connectBroker } from '../events/jetstream.ts'
import { mongoVersion, openMongodb } from '../functions/shared/store/mongodb.ts'
import { openPostgres } from '../functions/shared/store/postgres.ts'
import { waitForSchema, waitForVersion } from '../functions/shared/store/schema-version.ts'
import { isUnavailable } from '../functions/shared/store/store-errors.ts'
import { startMongo } from '../local/stores/mongodb.ts'
import { demoPassword } from '../local/people.ts'
import { startNats } from '../local/stores/nats.ts'
import { startPostgres } from '../local/stores/postgres.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { startSystem } from '../local/system.ts'
import { testClient } from './client.ts'
import migrations from '../functions/orders/migrations/meta/_journal.json' with { type: 'json' }
import { openLink } from './link.ts'
import { startTlsStores } from './tls-stores.ts'

let stores: Awaited<ReturnType<typeof startTlsStores>>
beforeAll(async () => {
  stores = await startTlsStores()
})
afterAll(() => stores.stop())

/** Returns a URL with parameters. */
function url(base: string, parameters: Record<string, string>): string {
  const changed = new URL(base)
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value)
  return changed.href
}
const byAddress = (url: string) => url.replace('localhost', '127.0.0.1')

/** Starts as a function does, and returns why that fails. */
async function refusalOf(address: string): Promise<string> {
  const db = openPostgres(address)
  onTestFinished(() => db.close())
  const waiting = waitForSchema(db.client, {
    domain: 'orders',
    migrations,
    waitMs: 20_000,
  })
  return waiting.then(() => '').catch((error: Error) => error.message)
}

describe('a shop whose stores accept encrypted connections only', () => {
  it('takes orders, delivers events and listens', async () => {
    const { dataDir, remove } = temporaryDataDir()
    const lines: string[] = []
    const system = await startSystem({
      dataDir,
      inProcess: true,
      durable: false,
      port: 0,
      window: 60,
      maxScale: undefined,
      env: {
        ...process.env,
        DATABASE_URL: url(stores.postgres, { sslmode: 'verify-full', sslrootcert: stores.authority }),
        NATS_URL: url(stores.nats, { tlsCAFile: stores.authority }),
        MONGODB_URL: url(stores.mongodb, { tls: 'true', tlsCAFile: stores.authority }),
      },
      say: () => {},
      log: (name, line) => void lines.push(`${name} ${line}`),
    })
    onTestFinished(async () => {
      await system.stop()
      await remove()
    })
    const customer = await testClient(system.url, demoPassword).register()
    const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 1 }])
    await waitForEntries(customer, id, 'order.confirmed')
    const admin = postgres(stores.postgres, { max: 1, ssl: { rejectUnauthorized: false } })
    onTestFinished(() => admin.end())
    const users = await admin<{ usename: string; ssl: boolean }[]>`
      select distinct usename, ssl from pg_stat_activity join pg_stat_ssl using (pid) where client_addr is not null`
    expect(users.map(({ ssl }) => ssl)).not.toContain(false)
    expect(users.map(({ usename }) => usename)).toEqual(expect.arrayContaining(['orders', 'events']))
    expect(lines.filter((line) => /"level":[56]0/.test(line))).toEqual([])
  })
})

describe('PostgreSQL over TLS', () => {
  it.each([
    ['require', () => byAddress(url(stores.postgres, { sslmode: 'require' }))],
    ['verify-ca', () => byAddress(url(stores.postgres, verify('verify-ca', stores.authority)))],
    ['verify-full', () => url(stores.postgres, verify('verify-full', stores.authority))],
  ])('is used with sslmode=%s', async (_, address) => {
    expect(await refusalOf(address())).toBe('')
  })

  const wrongName =
    'DATABASE_URL: PostgreSQL cannot be used (its certificate is for another name). Use a name that is in the certificate.'
  const wrongAuthority =
    'DATABASE_URL: PostgreSQL cannot be used (no known authority has signed its certificate). Name the authority in the URL, or in NODE_EXTRA_CA_CERTS.'
  it.each([
    [
      'verify-full by another name',
      () => byAddress(url(stores.postgres, verify('verify-full', stores.authority))),
      wrongName,
    ],
    [
      'verify-full and another authority',
      () => url(stores.postgres, verify('verify-full', stores.stranger)),
      wrongAuthority,
    ],
    [
      'verify-full and only public authorities',
      () => url(stores.postgres, { sslmode: 'verify-full' }),
      wrongAuthority,
    ],
    [
      'verify-ca and another authority',
      () => url(stores.postgres, verify('verify-ca', stores.stranger)),
      wrongAuthority,
    ],
    [
      'require and another authority',
      () => url(stores.postgres, verify('require', stores.stranger)),
      wrongAuthority,
    ],
  ])('is refused at once with sslmode=%s', async (_, address, says) => {
    expect(await refusalOf(address())).toBe(says)
  })

  it('is refused if it offers no TLS', async () => {
    expect(await refusalOf(url(inject('stores').postgres, { sslmode: 'require' }))).toBe(
      'DATABASE_URL: PostgreSQL cannot be used (it offers no TLS). Enable TLS there, or correct the URL.',
    )
  })

  it('fails every query while it is not there, and works when it is back, also when it fell silent', async () => {
    const link = await openLink(byAddress(stores.postgres))
    const db = openPostgres(url(link.url, { sslmode: 'require' }))
    onTestFinished(async () => {
      await db.close()
      link.close()
    })
    const failure = () => db.client`select 1`.then(() => undefined).catch((error: unknown) => error)
    expect(await failure()).toBeUndefined()
    link.cut()
    for (let times = 0; times < 6; times++) expect(isUnavailable(await failure())).toBe(true)
    link.restore()
    await expect.poll(failure).toBeUndefined()
    link.stall()
    expect(isUnavailable(await failure())).toBe(true)
    // a new connection, whose wish for TLS nobody answers
    expect(isUnavailable(await failure())).toBe(true)
    link.restore()
    await expect.poll(failure).toBeUndefined()
  })
})

describe('NATS over TLS', () => {
  const refusal = (address: string) =>
    connectBroker(address, { waitMs: 20_000 })
      .then((broker) => broker.close().then(() => ''))
      .catch((error: Error) => error.message)

  it.each([
    [
      'by another name',
      () => byAddress(url(stores.nats, { tlsCAFile: stores.authority })),
      'its certificate is for another name',
    ],
    [
      'with another authority',
      () => url(stores.nats, { tlsCAFile: stores.stranger }),
      'no known authority has signed its certificate',
    ],
    ['with only public authorities', () => stores.nats, 'no known authority has signed its certificate'],
  ])('is refused %s', async (_, address, reason) => {
    expect(await refusal(address())).toContain(`NATS_URL: NATS cannot be used (${reason}). `)
  })

  it('is refused if it offers no TLS', async () => {
    const { dataDir, remove } = temporaryDataDir()
    const plain = await startNats({ dataDir, durable: false, env: { PATH: process.env['PATH'] } })
    onTestFinished(async () => {
      await plain.stop()
      await remove()
    })
    expect(await refusal(plain.url.replace('nats:', 'tls:'))).toBe(
      'NATS_URL: NATS cannot be used (it offers no TLS). Enable TLS there, or correct the URL.',
    )
  })
})

// concurrent, because the driver looks for a server for seconds
describe.concurrent('MongoDB over TLS', () => {
  it.for([
    [
      'by another name',
      () => byAddress(url(stores.mongodb, { tls: 'true', tlsCAFile: stores.authority })),
      'its certificate is for another name',
    ],
    [
      'with another authority',
      () => url(stores.mongodb, { tls: 'true', tlsCAFile: stores.stranger }),
      'no known authority has signed its certificate',
    ],
  ] as const)('is refused %s', async ([, address, reason], { expect, onTestFinished }) => {
    const { db, close } = openMongodb(address())
    onTestFinished(close)
    const waiting = waitForVersion(() => mongoVersion(db, 'products'), 0, {
      store: 'MongoDB',
      setting: 'MONGODB_URL',
      domain: 'products',
      waitMs: 20_000,
    })
    await expect(waiting).rejects.toThrow(`MONGODB_URL: MongoDB cannot be used (${reason}). `)
  })
})

describe.concurrent('npm start', () => {
  it.for([
    ['DATABASE_URL', () => url(stores.postgres, verify('verify-full', stores.stranger)), startPostgres],
    ['NATS_URL', () => url(stores.nats, { tlsCAFile: stores.stranger }), startNats],
    ['MONGODB_URL', () => url(stores.mongodb, { tls: 'true', tlsCAFile: stores.stranger }), startMongo],
  ] as const)(
    'does not use a store at %s whose certificate is not trusted',
    async ([name, address, start], { expect }) => {
      await expect(start({ dataDir: stores.dataDir, env: { [name]: address() } })).rejects.toThrow(
        new RegExp(`^Cannot reach \\w+ at ${name} .*certificate`),
      )
    },
  )
})

function verify(sslmode: string, sslrootcert: string) {
  return { sslmode, sslrootcert }
}
