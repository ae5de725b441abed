import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { good } from '../../demo/client/good.ts'
import { placeOrder } from '../../demo/client/orders.ts'
import { shopClient } from '../../demo/client/shop.ts'
import { isRoot } from '../../local/stores/access.js'
import { temporaryFolder } from '../../local/stores/temporary.ts'
import { cloneInto } from '../project-copy.ts'
import { killAll, patienceMs, ready, runInTerminal, type OtherUser } from '../terminal.ts'

const root = join(import.meta.dirname, '../..')

/** Root and the user nobody, who take turns in one checkout. */
describe.skipIf(!isRoot)('a checkout that two users share (needs root)', { timeout: patienceMs * 2 }, () => {
  const { folder, remove } = temporaryFolder()
  const nobody: OtherUser = { uid: 65_534, gid: 65_534, home: join(folder, 'home') }
  const checkout = join(folder, 'zeroshop')
  const foreign = new Set<string>()

  const npm = (args: string[], as?: OtherUser) =>
    runInTerminal(folder, 'npm', args, { cwd: checkout, env: { PORT: '0' }, ...(as && { as }) })

  /** Starts the shop, has `visit` use it, and stops it. Returns where it says its data is, and why. */
  const shop = async (visit: (url: string) => Promise<void>, as?: OtherUser) => {
    const start = npm(['start'], as)
    const url = (await start.said(ready)).replace('localhost', '127.0.0.1')
    const [, dataDir, why] = /^The data is in (\S+)(?: \((.*)\))?$/m.exec(start.output())!
    foreign.add(dataDir!)
    await visit(url)
    start.interrupt()
    const code = await start.exited
    expect({ code, said: start.output() }).toMatchObject({ code: 0 })
    return { dataDir: dataDir!, why }
  }

  const reset = async (as?: OtherUser) => {
    const run = npm(['run', 'reset', '--', '--yes'], as)
    const code = await run.exited
    expect({ code, said: run.output() }).toMatchObject({ code: 0 })
  }

  const credentials = { email: `${randomUUID()}@example.com`, password: randomUUID() }
  const reads = async (url: string) => {
    const { items } = await good(shopClient(url).GET('/products'))
    expect(items).not.toEqual([])
  }
  const orders = async (url: string) => {
    const ada = await shopClient(url).register(credentials)
    const { items } = await good(ada.GET('/products', { params: { query: { limit: 1 } } }))
    await placeOrder(ada, [{ sku: items[0]!.sku, quantity: 1 }])
  }
  const logsIn = async (url: string) => {
    expect(await shopClient(url).logIn(credentials)).toMatchObject({ user: { email: credentials.email } })
  }

  beforeAll(() => {
    cloneInto(checkout)
    execFileSync('cp', ['-al', join(root, 'node_modules'), checkout])
    mkdirSync(nobody.home)
    chownSync(nobody.home, nobody.uid, nobody.gid)
  })
  afterEach(() => killAll(folder))
  afterAll(() => {
    for (const dataDir of foreign) rmSync(dataDir, { recursive: true, force: true })
    remove()
  })

  it('belongs to root, who starts first: the other user gets a shop in the own home', async () => {
    const roots = await shop(reads)
    expect(roots).toEqual({ dataDir: join(checkout, '.data') })
    const others = await shop(orders, nobody)
    expect(others).toEqual({
      dataDir: expect.stringMatching(`^${nobody.home}/\\.local/share/zeroshop/zeroshop-`),
      why: `${roots.dataDir} belongs to root`,
    })
    await reset(nobody)
    expect([existsSync(others.dataDir), existsSync(roots.dataDir)]).toEqual([false, true])
    await reset()
    expect(existsSync(roots.dataDir)).toBe(false)
  })

  it('belongs to another user, who starts first: root gets a shop below /var/lib, and leaves nothing in the way', async () => {
    rmSync(join(checkout, 'dist'), { recursive: true })
    // only the folders: the files are links to those of the checkout that the tests run in
    execFileSync('find', [checkout, '-type', 'd', '-exec', 'chown', '65534:65534', '{}', '+'])
    const others = await shop(orders, nobody)
    expect(others).toEqual({ dataDir: join(checkout, '.data') })
    const roots = await shop(reads)
    expect(roots).toEqual({
      dataDir: expect.stringMatching(/^\/var\/lib\/zeroshop\/zeroshop-/),
      why: `${others.dataDir} belongs to nobody`,
    })
    expect(await shop(logsIn, nobody)).toEqual(others)
    await reset()
    expect([existsSync(others.dataDir), existsSync(roots.dataDir)]).toEqual([true, false])
    await reset(nobody)
    expect(existsSync(others.dataDir)).toBe(false)
  })
})
