import { afterAll, beforeAll, expect, it } from 'vitest'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { operationOf } from '../functions/source.ts'
import { createApp } from '../functions/shared/http/app.ts'
import { openPostgres, type Db } from '../functions/shared/store/postgres.ts'
import { isUnavailable } from '../functions/shared/store/store-errors.ts'
import { openLink, type Link } from './link.ts'
import { openShop, type TestShop } from './shop.ts'

/** A function's database by way of a link that fails. */
let shop: TestShop
let link: Link
let db: Db

beforeAll(async () => {
  shop = await openShop([])
  link = await openLink(shop.database('orders'))
  db = openPostgres(link.url)
})
afterAll(async () => {
  await db.client.end({ timeout: 1 })
  link.close()
  await shop.close()
})

const ask = () => db.client`select 1`.then(() => undefined)
const failure = () => ask().catch((error: unknown) => error)

it('tells at once that the database refuses connections, however long that has lasted, and that it is back', async () => {
  await ask()
  link.cut()
  const began = performance.now()
  for (let times = 0; times < 12; times++) expect(isUnavailable(await failure())).toBe(true)
  // twelve in a row: with pauses that grow from one to the next, they would take minutes
  expect(performance.now() - began).toBeLessThan(10_000)
  link.restore()
  await expect.poll(failure).toBeUndefined()
})

it('gives up a connection on which nothing is heard any more, and makes another', async () => {
  await ask()
  link.stall()
  expect(isUnavailable(await failure())).toBe(true)
  link.restore()
  await expect.poll(failure).toBeUndefined()
})

it('keeps a connection on which a statement takes as long as it may', async () => {
  const pid = async () => (await db.client<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid
  const before = await pid()
  await db.client`select pg_sleep(4)`
  expect(await pid()).toBe(before)
})

it('refuses soon whoever waits for a silent database, however many they are', async () => {
  const app = createApp({
    operations: [await operationOf('get-order')],
    // those of the one operation
    deps: () => ({ db }),
    authenticate: async () => shop.users.staff,
    log: pino({ level: 'silent' }),
  })
  const ask = async () => (await app.request(`/api/v1/orders/${uuidv7()}`)).status
  expect(await ask()).toBe(404)
  link.stall()
  // the first find connections that fall silent, the second none that can be made: of those, two would give up at a time
  for (let times = 0; times < 2; times++) {
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 60 }, ask))
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(new Set(answers)).toEqual(new Set([503]))
  }
  link.restore()
  await expect.poll(ask).toBe(404)
})
