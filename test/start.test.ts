import { createHash, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../local/ports.ts'
import { good } from '../demo/client/good.ts'
import { placeOrder, readOrder } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import { isRoot } from '../local/stores/access.js'
import { temporaryFolder } from '../local/stores/temporary.ts'
import { cloneInto } from './project-copy.ts'
import {
  killAll,
  patienceMs,
  processesWith,
  ready,
  runInTerminal,
  until,
  type OtherUser,
} from './terminal.ts'

const root = join(import.meta.dirname, '..')

/** The documented commands, as arguments of npm. */
const commands = [
  ...readFileSync(join(root, 'docs/commands.md'), 'utf8').matchAll(/^\| `npm ([^`]+)`/gm),
].map(([, command]) => command!.split(' '))

/** Runs commands as a user does in a clone without node_modules. */
describe('a fresh clone', { timeout: patienceMs * 2 }, () => {
  const { folder, remove } = temporaryFolder()
  const clone = join(folder, 'zeroshop')
  let port: number
  let url: string
  /** The data folder, which the first start prints. */
  let dataDir: string | undefined
  const npm = (args: string[], { env, as }: { env?: Record<string, string>; as?: OtherUser } = {}) =>
    runInTerminal(folder, 'npm', args, {
      cwd: clone,
      env: { PORT: String(port), ...env },
      ...(as && { as }),
    })
  const credentials = { email: `${randomUUID()}@example.com`, password: randomUUID() }

  /** Takes the lock of install.js, so that all installs in the clone wait. Returns a function that releases it. */
  const holdInstalls = () => {
    const hash = createHash('sha256').update(clone).digest('hex').slice(0, 12)
    const turn = join(tmpdir(), `zeroshop-install-${process.getuid?.() ?? ''}-${hash}`)
    writeFileSync(turn, String(process.pid))
    return () => rmSync(turn)
  }

  beforeAll(async () => {
    cloneInto(clone)
    // like root's home, or a folder that mktemp -d has created
    if (isRoot) chmodSync(folder, 0o700)
    port = await freePort()
    url = `http://127.0.0.1:${port}`
  })
  afterEach(() => killAll(folder))
  afterAll(() => {
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
    remove()
  })

  it('reports what cannot work before it installs anything', async ({ skip }) => {
    skip(!isRoot, 'needs root')
    const start = npm(['start'], { env: { DATA_DIR: join(folder, 'data') } })
    expect(await start.exited).toBe(1)
    expect(start.errors()).toMatch(
      new RegExp(
        `^PostgreSQL refuses to run as root, .* may not enter ${folder}\\. Set DATA_DIR to .*$`,
        'm',
      ),
    )
    chmodSync(folder, 0o755)
    const as = { uid: 65_534, gid: 65_534, home: folder }
    const demo = npm(['run', 'demo'], { as })
    expect(await demo.exited).toBe(1)
    chmodSync(folder, 0o700)
    expect(demo.errors()).toContain(
      `Cannot install packages into ${clone}, which belongs to root. ` +
        `Run this as root, or become the folder’s owner (sudo chown -R 65534 ${clone}), then try again.`,
    )
    expect(existsSync(join(clone, 'node_modules'))).toBe(false)
  })

  // each shell has already used the machine's own Node, which may be too old to run TypeScript
  it('runs each command, even if it is the first', async () => {
    const release = holdInstalls()
    // all at once, so that one install is enough
    const running = commands.map((command) => ({ command, ...npm([...command, '--', '--help']) }))
    // bash is the shell on macOS, Fedora and others
    running.push({
      command: ['run', 'reset'],
      ...npm(['run', 'reset', '--', '--help'], { env: { npm_config_script_shell: 'bash' } }),
    })
    const installing = /^\s*\d+ \S+\s+node local\/commands\/install\.js/
    try {
      await until(
        'every command waits for the packages',
        () => processesWith(folder).filter((line) => installing.test(line)).length === running.length,
      )
      expect(existsSync(join(clone, 'node_modules'))).toBe(false)
    } finally {
      release()
    }
    const failed: unknown[] = []
    for (const { command, exited, output } of running) {
      const code = await exited
      const usage = command.at(-1)!.startsWith('test:')
        ? /^(vitest|npm run test:)/m
        : `\nnpm ${command.join(' ')}`
      if (code !== 0 || output().search(usage) < 0) failed.push({ command, code, said: output() })
    }
    expect(failed).toEqual([])
    expect(running.filter(({ output }) => output().includes('Installing packages'))).toHaveLength(1)
  })

  it('starts, shows the demo, stops at Ctrl-C, and starts again with its data', async () => {
    const first = npm(['start'])
    await first.said(ready)
    expect(first.output()).toMatch(/^PostgreSQL 18.*\nNATS 2.*\n(MongoDB|SecantusDB) .*\n/m)
    const data = await first.said(/^The data is in (\S+)/m)
    if (isRoot) dataDir = data
    expect(data).toMatch(isRoot ? /^\/var\/lib\/zeroshop\/zeroshop-[\da-f]{8}$/ : join(clone, '.data'))

    const demo = npm(['run', 'demo'])
    await succeeded(demo)
    const [, approved, declined, tooMany] = demo
      .output()
      .split(/\n(?=an approved card|a card that|more than)/)
    // a cold function may add its entry after the functions that follow it
    for (const type of ['order.placed', 'stock.reserved', 'payment.authorized', 'order.confirmed'])
      expect(approved).toContain(type)
    expect(approved).toMatch(/\n {2}confirmed, total/)
    for (const type of ['stock.reserved', 'payment.declined', 'order.cancelled', 'stock.released'])
      expect(declined).toContain(type)
    expect(declined).toMatch(/\n {2}cancelled \(the issuer/)
    expect(tooMany).toMatch(/stock\.rejected[^]*\n {2}cancelled \(/)
    // the story of a cart ends with two invoices, a credit note and the mails
    const documents = demo.output().match(/\.data\/demo\/(?:INV|CN)-\d{4}-\d{6}\.pdf/g) ?? []
    expect(documents).toHaveLength(3)
    for (const file of documents)
      expect(readFileSync(join(clone, file)).subarray(0, 5).toString()).toBe('%PDF-')
    expect(demo.output()).toMatch(/Your return has arrived/)

    const customer = await shopClient(url).register(credentials)
    const { items } = await good(customer.GET('/products', { params: { query: { limit: 1 } } }))
    const { id, total } = await placeOrder(customer, [{ sku: items[0]!.sku, quantity: 1 }])

    const letters = npm(['run', 'dead-letters'])
    await succeeded(letters)
    expect(letters.output()).toMatch(/^no dead letters$/m)

    const reset = npm(['run', 'reset', '--', '--yes'])
    expect(await reset.exited).toBe(1)
    expect(reset.output()).toMatch(/Zeroshop is already running on this data folder/)
    expect(await stop(first)).toBe(0)

    const second = npm(['start'])
    await second.said(ready)
    expect(second.output()).not.toMatch(/Installing|Downloading/)
    expect(await readOrder(await shopClient(url).logIn(credentials), id)).toMatchObject({ id, total })
    expect(await stop(second)).toBe(0)

    const after = npm(['run', 'reset', '--', '--yes'])
    await succeeded(after)
    expect(existsSync(data)).toBe(false)
  })

  it('reports in one line that the port is in use, and leaves nothing running', async () => {
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    const start = npm(['start'])
    expect(await start.exited).toBe(1)
    other.close()
    expect(start.output()).toMatch(
      `\nPort ${port} is in use. Stop what uses it, or set PORT to another one.\n`,
    )
    // killed processes may take a moment to end
    await vi.waitFor(() => expect(processesWith(folder)).toEqual([]), { timeout: 2_000 })
  })

  it('explains how the demo finds a shop if none runs', async () => {
    const demo = npm(['run', 'demo'])
    expect(await demo.exited).toBe(1)
    expect(demo.output()).toMatch(/No shop answers at http:\S+ \(ECONNREFUSED\)\. Start it with npm start/)
  })

  async function succeeded(command: ReturnType<typeof npm>) {
    const code = await command.exited
    expect({ code, output: command.output() }).toMatchObject({ code: 0 })
  }

  /** Presses Ctrl-C. Returns the exit code once no process is left. */
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
