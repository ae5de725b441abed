import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { good } from '../demo/client/good.ts'
import { placeOrder, readOrder } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import type { FunctionReport } from '../local/activator/report.ts'
import { isRoot } from '../local/stores/access.js'
import { startPostgres } from '../local/stores/postgres.ts'
import { lockDataDir } from '../local/lock.ts'
import { signal } from '../local/stores/process.ts'
import { temporaryFolder } from '../local/stores/temporary.ts'
import { killAll, patienceMs, processesWith, runInTerminal, startShop, until } from './terminal.ts'

const root = join(import.meta.dirname, '..')

type Shop = ReturnType<typeof startShop>

/** Expects the shop to exit with code 1, one line of output and no process left. Returns the line. */
async function refusal(shop: Shop): Promise<string> {
  const code = await shop.exited
  expect({ code, lines: shop.errors().split('\n').length, said: shop.output() }).toMatchObject({
    code: 1,
    lines: 1,
  })
  return shop.errors()
}

const pidOf = (dataDir: string, name: string) =>
  (JSON.parse(readFileSync(join(dataDir, 'run', `${name}.json`), 'utf8')) as { pid: number }).pid

describe('a start that fails', { timeout: patienceMs }, () => {
  let folder: string
  let dataDir: string
  let remove: () => void
  beforeEach(() => {
    ;({ folder, remove } = temporaryFolder())
    dataDir = join(folder, 'data')
  })
  afterEach(() => {
    killAll(folder)
    remove()
  })

  it.each([
    [['--window', 'x'], {}, '--window=x: set it to a whole number from 2 to 3600.'],
    [['--max-scale=0'], {}, '--max-scale=0: set it to a whole number from 1 to 100.'],
    [['--fast'], {}, "Unknown option '--fast'. See npm start -- --help."],
    [[], { PORT: 'abc' }, 'PORT=abc: set it to a whole number from 0 to 65535.'],
    [
      [],
      { LIMITS_FACTOR: 'off' },
      'LIMITS_FACTOR=off: set it to a number, such as 2 to double every limit, or 0 for no limits.',
    ],
    [
      [],
      { ALLOWED_HOSTS: 'a b' },
      'ALLOWED_HOSTS=a b: set it to host names, separated by commas, such as shop.test,10.0.0.7.',
    ],
  ])('is reported in one line, for the options %j and the variables %j', async (args, env, said) => {
    expect(await refusal(startShop(dataDir, { args, env }))).toBe(said)
    expect(existsSync(dataDir)).toBe(false)
  })

  it('is reported before anything starts if the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const said = await refusal(startShop(dataDir, { env: { PORT: String(port) } }))
    other.close()
    expect(said).toBe(`Port ${port} is in use. Stop what uses it, or set PORT to another one.`)
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false)
  })

  it('is reported if another shop runs on the same data folder', async () => {
    const lock = lockDataDir(dataDir)
    const said = await refusal(startShop(dataDir))
    lock.release()
    expect(said).toMatch(
      new RegExp(`^Zeroshop is already running on this data folder \\(process ${process.pid}\\)\\. Stop it`),
    )
  })

  it('is reported if the data folder is a file', async () => {
    writeFileSync(dataDir, '')
    expect(await refusal(startShop(dataDir))).toBe(
      `${dataDir} is not a folder. Set DATA_DIR to another path.`,
    )
  })

  it.runIf(isRoot)('is reported if the data folder cannot be written', async () => {
    mkdirSync(dataDir)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'none', dataDir])
    try {
      expect(await refusal(startShop(dataDir))).toMatch(
        /^Cannot write to .* \(EROFS\)\. Set DATA_DIR to a folder/,
      )
    } finally {
      execFileSync('umount', [dataDir])
    }
  })

  it.runIf(isRoot)('is reported if the disk is full', async () => {
    mkdirSync(dataDir)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=755', 'none', dataDir])
    try {
      expect(await refusal(startShop(dataDir))).toMatch(
        /disk that holds .* is full\. Free some space and start again/,
      )
      // killed processes may take a moment to end
      await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
    } finally {
      execFileSync('umount', [dataDir])
    }
  })

  it.each([
    ['DATABASE_URL', 'postgres://shop:s3cret@127.0.0.1:1/shop', 'PostgreSQL', 'postgres://127.0.0.1:1/shop'],
    ['NATS_URL', 'nats://shop:s3cret@127.0.0.1:1', 'NATS', 'nats://127.0.0.1:1'],
    ['MONGODB_URL', 'mongodb://shop:s3cret@127.0.0.1:1/shop', 'MongoDB', 'mongodb://127.0.0.1:1/shop'],
  ])('is reported without the password if %s cannot be reached', async (name, url, store, shown) => {
    const shop = startShop(dataDir, { env: { [name]: url } })
    const said = await refusal(shop)
    expect(said.startsWith(`Cannot reach ${store} at ${name} (${shown}): `)).toBe(true)
    expect(said).toMatch(new RegExp(`Start it, or unset ${name}\\.$`))
    expect(shop.output()).not.toContain('s3cret')
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  })
})

/** These tests share one data folder. */
describe('a shop', { timeout: patienceMs * 2 }, () => {
  const { folder, remove } = temporaryFolder()
  const dataDir = join(folder, 'data')
  const email = 'grace@example.com'
  const password = 'correct horse battery'
  const logIn = (url: string) => shopClient(url).logIn({ email, password })

  /** Presses Ctrl-C, and expects that no process is left. */
  const stop = async (shop: Shop) => {
    shop.interrupt()
    const code = await shop.exited
    expect({ code, said: shop.errors() }).toEqual({ code: 0, said: '' })
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  }

  beforeAll(async () => {
    const shop = startShop(dataDir)
    await shopClient(await shop.url()).register({ email, password })
    await stop(shop)
  }, patienceMs * 2)
  afterEach(() => killAll(folder))
  afterAll(remove)

  it('starts each store again that is killed, with its data, and says so', async () => {
    const shop = startShop(dataDir)
    const url = await shop.url()
    for (const store of ['postgres', 'nats', 'mongodb']) {
      const pid = pidOf(dataDir, store)
      signal(pid, 'SIGKILL')
      await shop.said(
        new RegExp(
          `${store}: (PostgreSQL|NATS|MongoDB|SecantusDB) was terminated by SIGKILL \\(its log: \\S+\\); restarting it now`,
        ),
      )
      await shop.said(new RegExp(`${store}: runs again after [\\d.]+ s`))
      expect(pidOf(dataDir, store)).not.toBe(pid)
    }
    const customer = await logIn(url)
    const { items } = await good(customer.GET('/products', { params: { query: { limit: 1 } } }))
    const { id } = await placeOrder(customer, [{ sku: items[0]!.sku, quantity: 1 }])
    await until('the order is confirmed', async () => (await readOrder(customer, id)).status === 'confirmed')
    await until('nothing is degraded', async () => {
      const page = await (await fetch(`${url}/_scale`)).json()
      // written by the local runner
      return (page as { degraded: unknown[] }).degraded.length === 0
    })
    shop.interrupt()
    expect(await shop.exited).toBe(0)
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  })

  it('sells where a proxy is set for all other requests', async () => {
    const proxy = 'http://127.0.0.1:1'
    const shop = startShop(dataDir, {
      env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy },
    })
    const customer = await logIn(await shop.url())
    const { items } = await good(customer.GET('/products', { params: { query: { limit: 1 } } }))
    const { id } = await placeOrder(customer, [{ sku: items[0]!.sku, quantity: 1 }])
    await vi.waitFor(
      async () => expect(await readOrder(customer, id)).toMatchObject({ status: 'confirmed' }),
      {
        timeout: patienceMs,
        interval: 200,
      },
    )
    await stop(shop)
  })

  it('leaves only its stores running if it is killed, and the next start stops them', async () => {
    const shop = startShop(dataDir)
    expect(await logIn(await shop.url())).toMatchObject({ user: { email } })
    const left = pidOf(dataDir, 'postgres')
    signal(shop.pid, 'SIGKILL')
    await shop.exited.catch(() => {})
    await until(
      'the functions have ended',
      () => !processesWith(folder).some((line) => line.includes('functions/main.js')),
    )
    const again = startShop(dataDir)
    expect(await logIn(await again.url())).toMatchObject({ user: { email } })
    expect(again.output()).toContain(
      `Stopping postgres (process ${left}), left over from a run that was killed`,
    )
    await stop(again)
  })

  it.each([
    ['has just locked its folder', () => lockFiles().some((file) => file.endsWith('.held'))],
    ['starts its stores', () => existsSync(join(dataDir, 'run', 'postgres.json'))],
    ['starts its services', () => existsSync(join(dataDir, 'run', 'relay.json'))],
  ])('stops at Ctrl-C when it %s', async (_, when) => {
    const shop = startShop(dataDir)
    await until('the moment', when)
    await stop(shop)
    expect(lockFiles()).toEqual([])
  })

  it('reports a relay that keeps ending, and restarts it with pauses', async () => {
    const shop = startShop(dataDir)
    await shop.url()
    for (const often of ['\\)', ', 2 times in a row\\)', ', 3 times in a row\\)']) {
      let pid = 0
      await until('a relay', () => {
        if (!existsSync(join(dataDir, 'run', 'relay.json'))) return false
        pid = pidOf(dataDir, 'relay')
        return true
      })
      signal(pid, 'SIGKILL')
      await shop.said(new RegExp(`relay: ended \\(SIGKILL${often}; restarting it (now|in \\d s)`))
    }
    expect(shop.errors()).toMatch(/3 times in a row\); restarting it in 1 s$/)
    await until('a relay', () => existsSync(join(dataDir, 'run', 'relay.json')))
    shop.interrupt()
    expect(await shop.exited).toBe(0)
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  })

  it('lists, replays and drops dead letters', async () => {
    const letters = (...args: string[]) => {
      const run = runInTerminal(
        folder,
        process.execPath,
        [join(root, 'local/commands/dead-letters.ts'), ...args],
        {
          env: { DATA_DIR: dataDir },
        },
      )
      return run.exited.then((code) => ({ code, said: run.output().trim() }))
    }
    expect(await letters()).toEqual({
      code: 1,
      said: expect.stringMatching(/^No shop is running here\. Start it with npm start/),
    })
    const shop = startShop(dataDir)
    await shop.url()
    const { events } = JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { events: string }
    const sql = postgres(events, { max: 1 })
    const [replayed, dropped] = [uuidv7(), uuidv7()]
    const park = (id: string) => sql`
      insert into events.failures (reaction, event_id, event, attempts, error, parked_at)
      values ('release-stock', ${id}, ${sql.json({ id, type: 'dev.zeroshop.order.cancelled', subject: 'order-1' })}, 6, 'no luck', now())`
    try {
      expect(await letters()).toEqual({ code: 0, said: 'no dead letters' })
      await park(replayed)
      await park(dropped)
      const listed = await letters('list')
      expect(listed.said).toMatch(/2 dead letters$/)
      expect(listed.said).toContain(
        `release-stock  dev.zeroshop.order.cancelled  order-1\n  after 6 attempts: no luck`,
      )

      expect(await letters('replay', replayed)).toEqual({ code: 0, said: '1 will be delivered again' })
      expect(await letters('drop', dropped)).toEqual({ code: 0, said: '1 dropped' })
      expect(await letters()).toMatchObject({ said: expect.not.stringContaining(dropped) })

      expect(await letters('drop')).toEqual({
        code: 1,
        said: 'Choose which: give the id of an event, --reaction NAME, or --all.',
      })
      expect(await letters('replay', 'x')).toMatchObject({
        code: 1,
        said: expect.stringMatching(/^x is not the id/),
      })
      expect(await letters('--nonsense')).toEqual({
        code: 1,
        said: "Unknown option '--nonsense'. See npm run dead-letters -- --help.",
      })
    } finally {
      await sql.end()
    }
    shop.interrupt()
    expect(await shop.exited).toBe(0)
  })

  it('with --window 2 stops idle functions, starts them on request, and reports why', async () => {
    const shop = startShop(dataDir, { args: ['--window', '2', '--max-scale', '1'] })
    const url = await shop.url()
    const report = async () => {
      const page = await (await fetch(`${url}/_scale`)).json()
      return (page as { functions: Record<string, FunctionReport> }).functions['list-products']!
    }
    expect((await report()).instances).toEqual([])
    await good(shopClient(url).GET('/products'))
    await until('it is stopped', async () => {
      const { instances, decisions } = await report()
      return instances.length === 0 && decisions.at(-1)?.to === 0
    })
    const { decisions } = await report()
    expect(decisions[0]).toMatchObject({ from: 0, to: 1, reason: expect.stringMatching(/\w/) })
    expect(decisions.at(-1)).toMatchObject({ from: 1, to: 0, reason: expect.stringMatching(/\w/) })
    await good(shopClient(url).GET('/products'))

    // the shop cannot be reached from the network
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)
    if (outside !== undefined)
      await expect(fetch(`http://${outside.address}:${new URL(url).port}/_scale`)).rejects.toThrow(
        'fetch failed',
      )
    await stop(shop)
  })

  it('with --in-process serves requests in one process', async () => {
    const shop = startShop(dataDir, { args: ['--in-process'] })
    const url = await shop.url()
    expect((await fetch(`${url}/_scale`)).status).toBe(200)
    expect(await logIn(url)).toMatchObject({ user: { email } })
    await stop(shop)
  })

  // last, because no shop can start on this data afterwards
  it('does not change the data of a newer version', async () => {
    const store = await startPostgres({ dataDir })
    const sql = postgres(store.url, { max: 1 })
    const [row] = await sql<[{ version: number }]>`
      select version from drizzle.versions where domain = 'orders'`
    const newer = row.version + 1
    await sql`update drizzle.versions set version = ${newer}, oldest = ${newer} where domain = 'orders'`
    await sql.end()
    await store.stop()
    const said = await refusal(startShop(dataDir))
    expect(said).toBe(
      `The orders data in PostgreSQL was migrated by a newer Zeroshop (version ${newer}), which this code (version ${row.version}) cannot use. ` +
        `Run version ${newer} or newer, or use another database.`,
    )
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  })

  const lockFiles = () => {
    const lock = join(dataDir, 'lock')
    return existsSync(lock) ? readdirSync(lock) : []
  }
})
