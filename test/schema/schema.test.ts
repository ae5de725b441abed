import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { good } from '../../demo/client/good.ts'
import { shopClient, type ShopClient } from '../../demo/client/shop.ts'
import type { Role } from '../../functions/shared/domain.ts'
import { demoPassword } from '../../local/people.ts'
import { cached } from '../../local/stores/cache.ts'
import { pipVenv } from '../../local/stores/packages.ts'
import { temporaryDataDir } from '../../local/stores/temporary.ts'
import { startShop } from '../terminal.ts'

const version = '4.32.5'
const root = join(import.meta.dirname, '../..')

let python: string
let url: string
let shop: ShopClient
let close: () => Promise<void>

/** Installs Schemathesis, on the first run. */
async function install(): Promise<string> {
  const program = 'bin/python3'
  const folder = await cached({ name: `schemathesis-${version}`, program }, (folder) =>
    pipVenv(folder, {
      requirements: [`schemathesis==${version}`],
      what: `Schemathesis ${version}`,
      instead: 'skip npm run test:schema',
      env: process.env,
    }),
  )
  return join(folder, program)
}

beforeAll(async () => {
  python = await install()
  const { dataDir, remove } = temporaryDataDir()
  // it sends more than people do, to functions of which each would have to start
  const running = startShop(dataDir, { args: ['--in-process'], env: { LIMITS_FACTOR: '0' } })
  close = async () => {
    running.interrupt()
    await running.exited
    await remove()
  }
  url = await running.url()
  shop = shopClient(url)
})
afterAll(() => close())

/** Returns the access token of a new user of a role. The runs may change or delete one another's users. */
async function newToken(role: Role): Promise<string> {
  const account = { email: `${role}-${Date.now()}@example.com`, password: 'a new long password' }
  const { user } = await shop.register(account)
  if (role !== 'customer') {
    const admin = await shop.logIn({ email: 'admin@example.com', password: demoPassword })
    const params = { path: { id: user.id }, header: { 'If-Match': '*' } }
    await good(admin.PATCH('/users/{id}', { params, body: { role, currentPassword: demoPassword } }))
  }
  return (await shop.logIn(account)).token()
}

/** Runs Schemathesis. Returns what it printed if it found a failure. */
async function failures(token: string | undefined): Promise<string> {
  const args = ['-m', 'schemathesis.cli', '--config-file', join(import.meta.dirname, 'schemathesis.toml')]
  const authorization = token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]
  // they would end the session of the run
  const ending = ['log-out', 'end-session'].flatMap((name) => ['--exclude-operation-id', name])
  const without = token === undefined ? [] : ending
  const document = join(root, 'docs/openapi.json')
  const child = spawn(
    python,
    [...args, '--no-color', 'run', document, '--url', url, ...authorization, ...without],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 200_000,
      env: { ...process.env, COLUMNS: '120' },
    },
  )
  const exit = new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  const [code, out, err] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  return code === 0 ? '' : out + err
}

describe('every operation answers as the OpenAPI document says', () => {
  it.each(['nobody', 'customer', 'seller', 'staff', 'admin'] as const)('to %s', async (who) => {
    expect(await failures(who === 'nobody' ? undefined : await newToken(who))).toBe('')
  })
})
