import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest'
import { pino } from 'pino'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { operationOf } from '../functions/source.ts'
import { endedSessions } from '../functions/orders/order.ts'
import { endedInPostgres } from '../functions/shared/store/ended-sessions.ts'
import { createApp } from '../functions/shared/http/app.ts'
import { openPostgres } from '../functions/shared/store/postgres.ts'
import { isUnavailable } from '../functions/shared/store/store-errors.ts'
import { openLink } from './link.ts'
import { openShop, type TestShop } from './shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop([])
})
afterAll(() => shop.close())

/** A function's database behind a link that a test can break. */
async function openDatabase(onTestFinished: TestContext['onTestFinished']) {
  const link = await openLink(shop.database('orders'))
  const db = openPostgres(link.url)
  onTestFinished(async () => {
    await db.client.end({ timeout: 1 })
    link.close()
  })
  return {
    link,
    db,
    failure: () => db.client`select 1`.then(() => undefined).catch((error: unknown) => error),
  }
}

// concurrent, because each test waits for time-outs of several seconds
describe.concurrent('a function’s database', () => {
  it('reports refused connections at once, however long they have been refused, and works as soon as they are accepted', async ({
    expect,
    onTestFinished,
  }) => {
    const { link, failure } = await openDatabase(onTestFinished)
    expect(await failure()).toBeUndefined()
    link.cut()
    const began = performance.now()
    for (let times = 0; times < 12; times++) expect(isUnavailable(await failure())).toBe(true)
    // if the pauses between attempts grew, twelve attempts would take minutes
    expect(performance.now() - began).toBeLessThan(10_000)
    link.restore()
    await expect.poll(failure).toBeUndefined()
  })

  it('works again after connections have broken while transactions were under way', async ({
    expect,
    onTestFinished,
  }) => {
    const { link, db, failure } = await openDatabase(onTestFinished)
    const single = db.single()
    const admin = postgres(shop.admin, { max: 1 })
    onTestFinished(async () => {
      await Promise.all([single.end({ timeout: 1 }), admin.end()])
    })
    const transactions = (sleep: string) =>
      Promise.allSettled([
        ...[1, 2].map(() => db.client.begin((tx) => tx.unsafe(sleep))),
        Promise.all([single`begin`, single.unsafe(sleep)]).catch((error: unknown) =>
          single`rollback`.then(() => {
            throw error
          }),
        ),
      ])
    for (let round = 0; round < 3; round++) {
      // the connections are open before they break
      await Promise.all([db.client.begin((tx) => tx`select 1`), failure(), single`select 1`])
      // those of earlier rounds sleep on
      const sleep = `select pg_sleep(10) as round_${round}`
      const running = transactions(sleep)
      await expect
        .poll(() => admin`select from pg_stat_activity where query = ${sleep} and state = 'active'`)
        .toHaveLength(3)
      link.cut()
      for (const { status } of await running) expect(status).toBe('rejected')
      link.restore()
      await expect.poll(failure).toBeUndefined()
    }
    const works = () => Promise.all([1, 2, 3].map(() => db.client.begin((tx) => tx`select 1`)))
    await works()
    await works()
    await Promise.all([single`begin`, single`select 1`, single`commit`])
  })

  it('gives up a silent connection and opens another', async ({ expect, onTestFinished }) => {
    const { link, failure } = await openDatabase(onTestFinished)
    expect(await failure()).toBeUndefined()
    link.stall()
    expect(isUnavailable(await failure())).toBe(true)
    link.restore()
    await expect.poll(failure).toBeUndefined()
  })

  it('keeps a connection on which a statement takes as long as is allowed', async ({
    expect,
    onTestFinished,
  }) => {
    const { db } = await openDatabase(onTestFinished)
    const pid = async () => (await db.client<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid
    const before = await pid()
    await db.client`select pg_sleep(4)`
    expect(await pid()).toBe(before)
  })

  it.for([
    ['has fallen silent', true],
    ['never said a word', false],
  ] as const)(
    'refuses all who wait for it soon if it %s, however many they are',
    async ([, connected], { expect, onTestFinished }) => {
      const { link, db } = await openDatabase(onTestFinished)
      const app = createApp({
        operations: [await operationOf('get-order')],
        // the only domain that the test calls
        deps: () => ({ db, isSessionEnded: endedInPostgres(db, endedSessions) }),
        authenticate: async () => shop.users.staff,
        log: pino({ level: 'silent' }),
      })
      const ask = async () => (await app.request(`/api/v1/orders/${uuidv7()}`)).status
      if (connected) expect(await ask()).toBe(404)
      link.stall()
      const began = performance.now()
      const answers = await Promise.all(Array.from({ length: 60 }, ask))
      // without the shop's limit, the pool would time out only two requests at a time
      expect(performance.now() - began).toBeLessThan(15_000)
      expect(new Set(answers)).toEqual(new Set([503]))
      link.restore()
      await expect.poll(ask).toBe(404)
    },
  )
})

// by itself, because it keeps others away from the database
it('rejects a query soon if the database closes each new connection, also after one broke under a query', async ({
  expect,
  onTestFinished,
}) => {
  const { link, db, failure } = await openDatabase(onTestFinished)
  const admin = postgres(shop.admin, { max: 1 })
  const name = new URL(shop.admin).pathname.slice(1)
  const accept = (connections: number) =>
    admin.unsafe(`alter database ${name} connection limit ${connections}`)
  try {
    const broken = db.client`select pg_sleep(4.1)`.catch((error: unknown) => error)
    await expect
      .poll(() => admin`select from pg_stat_activity where query like 'select pg_sleep(4.1)%'`)
      .toHaveLength(1)
    await accept(0)
    link.cut()
    link.restore()
    expect(isUnavailable(await broken)).toBe(true)
    const began = performance.now()
    for (let times = 0; times < 12; times++) expect(isUnavailable(await failure())).toBe(true)
    expect(performance.now() - began).toBeLessThan(10_000)
    await accept(-1)
    await expect.poll(failure).toBeUndefined()
  } finally {
    await accept(-1)
    await admin.end()
  }
})
