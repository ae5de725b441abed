/** `npm run seed -- --large`: fills a running shop with the data of a large one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { openClient } from '../functions/shared/store/postgres-client.ts'
import { reasonOf } from '../functions/shared/store/store-errors.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { demoPassword } from '../local/people.ts'
import { chooseDataDir } from '../local/stores/data-folder.js'
import type { Middleware } from './client/client.ts'
import { ApiError } from './client/good.ts'
import { shopClient } from './client/shop.ts'
import { emailOf, largeSizes } from './large/dataset.ts'
import { fillShop } from './large/fill.ts'
import { createProgress } from './large/progress.ts'
import { unreachable } from './unreachable.ts'

const usage = `npm run seed -- --large
Fills a running shop with 10,000 products, 1,000 users and 50,000 orders of the past year. Products, their stock and the
last orders go through the API; the rest is copied into PostgreSQL. It can be repeated if it was interrupted.
(The small catalogue and the demo users need no command: an empty shop gets them when it starts.)
SHOP_URL is the shop (http://localhost:8080), PORT its port if it runs here. DATABASE_URL is its PostgreSQL, with the
role that migrates it; by default, that of the shop that runs here. SHOP_PASSWORD is the password of seller@example.com
and staff@example.com, and will be that of the users that are added.`

const { env } = process
const url = (env['SHOP_URL'] ?? `http://localhost:${env['PORT'] ?? 8080}`).replace(/\/$/, '')

const explained: Middleware = { onError: ({ error }) => new UserError(unreachable(url, error)) }

await run(async () => {
  const { values } = readArguments(usage, { options: { large: { type: 'boolean' } } })
  if (values.large !== true) throw new UserError(usage)
  const password = env['SHOP_PASSWORD'] ?? demoPassword
  const database = env['DATABASE_URL'] ?? runningUrl()
  const [seller, staff] = await logIn(password)
  const sql = openClient(database, {
    setting: 'DATABASE_URL',
    silentMs: 600_000,
    max: 1,
    connect_timeout: 10,
    onnotice: () => {},
  })
  try {
    await check(sql)
    const isNew = await fillShop({
      sql,
      url,
      seller,
      staff,
      sizes: largeSizes,
      password,
      progress: createProgress(),
    })
    console.log(
      isNew
        ? `\n${pc.green('Done.')} The users are ${emailOf(0)} to ${emailOf(largeSizes.users - 1)}, with the password ${password}.`
        : 'The shop has all of this data already. To begin anew: npm run reset, npm start, and this command again.',
    )
  } finally {
    await sql.end({ timeout: 5 })
  }
})

/** Logs the demo's seller and a member of its staff in. */
async function logIn(password: string) {
  const shop = shopClient(url, [explained])
  try {
    return (await Promise.all(
      ['seller', 'staff'].map((role) => shop.logIn({ email: `${role}@example.com`, password })),
    )) as [Awaited<ReturnType<typeof shop.logIn>>, Awaited<ReturnType<typeof shop.logIn>>]
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
    throw new UserError(
      'seller@example.com and staff@example.com cannot log in. Set SHOP_PASSWORD to the password of the demo users (in Compose: compose/secrets/demo-password).',
    )
  }
}

/** The address that the running shop has left in its data folder. */
function runningUrl(): string {
  const { dataDir } = chooseDataDir(env)
  try {
    const { admin } = JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { admin?: string }
    if (admin !== undefined) return admin
  } catch {
    // reported below
  }
  throw new UserError(
    'No shop runs here. Start it with npm start, or set DATABASE_URL to the PostgreSQL of the shop, and SHOP_URL to its address (docs/commands.md says how for Compose).',
  )
}

/** @throws UserError if this is not a shop's database that we may write */
async function check(sql: ReturnType<typeof openClient>): Promise<void> {
  const [found] = await sql<[{ isShop: boolean; mayWrite: boolean | null }]>`
    select to_regclass('orders.orders') is not null as "isShop",
      has_table_privilege(to_regclass('orders.orders'), 'insert') and
      has_table_privilege(to_regclass('users.users'), 'insert') as "mayWrite"`.catch((error: unknown) => {
    throw new UserError(
      `PostgreSQL cannot be reached (${reasonOf(error).reason}). Set DATABASE_URL to an address that this machine reaches; docs/commands.md says how for Compose.`,
    )
  })
  if (!found.isShop)
    throw new UserError('DATABASE_URL is not the database of a shop: it has no table of orders.')
  if (found.mayWrite !== true)
    throw new UserError(
      'The role in DATABASE_URL may not write every table: take the one that migrates the shop.',
    )
}
