import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../local/ports.ts'
import { good } from '../demo/client/good.ts'
import { placeOrder, readOrder } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import { killAll, patienceMs, processesWith, ready, runInTerminal, temporaryFolder } from './terminal.ts'

const root = join(import.meta.dirname, '..')

/** What a user does with a clone without node_modules. */
describe('a fresh clone', { timeout: patienceMs * 2 }, () => {
  const { folder, remove } = temporaryFolder()
  const clone = join(folder, 'zeroshop')
  let port: number
  let url: string
  const npm = (...args: string[]) =>
    runInTerminal(folder, 'npm', args, { cwd: clone, env: { PORT: String(port) } })
  const credentials = { email: `${randomUUID()}@example.com`, password: randomUUID() }

  beforeAll(async () => {
    const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    })
    for (const file of files.split('\0').filter((file) => file !== '' && existsSync(join(root, file)))) {
      mkdirSync(dirname(join(clone, file)), { recursive: true })
      cpSync(join(root, file), join(clone, file))
    }
    port = await freePort()
    url = `http://127.0.0.1:${port}`
  })
  afterEach(() => killAll(folder))
  afterAll(remove)

  it('starts, shows the demo, stops at Ctrl-C, and starts again with its data', async () => {
    const first = npm('start')
    await first.said(ready)
    expect(first.output()).toMatch(/^PostgreSQL 18.*\nNATS 2.*\n(MongoDB|SecantusDB) .*\n/m)

    const demo = npm('run', 'demo')
    await succeeded(demo)
    const [, approved, declined, tooMany] = demo
      .output()
      .split(/\n(?=an approved card|a card that|more than)/)
    // a cold function may add its entry later than the functions that follow it
    for (const type of ['order.placed', 'stock.reserved', 'payment.authorized', 'order.confirmed'])
      expect(approved).toContain(type)
    expect(approved).toMatch(/\n {2}confirmed, total/)
    for (const type of ['stock.reserved', 'payment.declined', 'order.cancelled', 'stock.released'])
      expect(declined).toContain(type)
    expect(declined).toMatch(/\n {2}cancelled \(the issuer/)
    expect(tooMany).toMatch(/stock\.rejected[^]*\n {2}cancelled \(/)

    const customer = await shopClient(url).register(credentials)
    const { items } = await good(customer.GET('/products', { params: { query: { limit: 1 } } }))
    const { id, total } = await placeOrder(customer, [{ sku: items[0]!.sku, quantity: 1 }])

    const reset = npm('run', 'reset', '--', '--yes')
    expect(await reset.exited).toBe(1)
    expect(reset.output()).toMatch(/Zeroshop already runs on this data folder/)
    expect(await stop(first)).toBe(0)

    const second = npm('start')
    await second.said(ready)
    expect(second.output()).not.toMatch(/Installing|Downloading/)
    expect(await readOrder(await shopClient(url).logIn(credentials), id)).toMatchObject({ id, total })
    expect(await stop(second)).toBe(0)

    const after = npm('run', 'reset', '--', '--yes')
    await succeeded(after)
    expect(existsSync(join(clone, '.data'))).toBe(false)
  })

  it('says in one line that the port is in use, and leaves nothing running', async () => {
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    const start = npm('start')
    expect(await start.exited).toBe(1)
    other.close()
    expect(start.output()).toMatch(
      `\nPort ${port} is in use. Stop what uses it, or set PORT to another one.\n`,
    )
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  })

  it('shows how the demo finds a shop, where none runs', async () => {
    const demo = npm('run', 'demo')
    expect(await demo.exited).toBe(1)
    expect(demo.output()).toMatch(/No shop answers at http:\S+ \(ECONNREFUSED\)\. Start it with npm start/)
  })

  async function succeeded(command: ReturnType<typeof npm>) {
    const code = await command.exited
    expect({ code, output: command.output() }).toMatchObject({ code: 0 })
  }

  /** Presses Ctrl-C; returns the exit code once no process is left. */
  async function stop(start: ReturnType<typeof npm>) {
    const began = performance.now()
    start.interrupt()
    const code = await start.exited
    // 5 s, and more on a busy machine
    expect(performance.now() - began).toBeLessThan(10_000)
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
    return code
  }
})
