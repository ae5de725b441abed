import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secretsFolder } from '../../compose/secrets.ts'
import { deliveryKeys, fileOf } from '../../functions/deployment.ts'
import { migrations as products } from '../../functions/products/migrations/index.ts'
import journal from '../../functions/orders/migrations/meta/_journal.json' with { type: 'json' }
import { shop } from './shop.ts'

const secret = (name: string) => readFileSync(join(secretsFolder, name), 'utf8').trim()
const orders = secret('orders-database-url')
const keys = secret('jwt-public-keys')

/** Runs a container that cannot start, and returns its status and output. */
function refusal(image: string, env: Record<string, string>, network = 'none') {
  const { status, stdout, stderr } = spawnSync(
    'docker',
    [
      ...`run --rm --network ${network} --read-only --cap-drop ALL`.split(' '),
      ...Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      `zeroshop/${image}:latest`,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  )
  return { status, stdout, stderr }
}

const psql = (database: string, statement: string) =>
  shop.compose(
    ...`exec -T postgres psql -q -h /var/run/postgresql -U postgres -d ${database} -c`.split(' '),
    statement,
  )

const onPooler = 'zeroshop-test_pgbouncer'
const settings = {
  STORE_WAIT_SECONDS: '0.1',
  JWT_PUBLIC_KEYS: keys,
  STREAM_TICKET_KEY: secret('stream-ticket-key'),
  FUNCTION_URL: 'http://{function}:8080',
}

/** The version of the orders' schema. */
const version = journal.entries.length

describe('a container that cannot start reports the cause and the remedy in one line:', () => {
  beforeAll(() => psql('postgres', 'create database empty'))
  afterAll(() => psql('postgres', 'drop database empty'))

  it.each([
    [
      'a missing secret',
      () => refusal('get-order', { ...settings, DATABASE_URL_FILE: '/run/secrets/orders-database-url' }),
      'DATABASE_URL_FILE: cannot read /run/secrets/orders-database-url (ENOENT). Mount the secret there.',
    ],
    [
      'an empty secret',
      () => refusal('get-order', { ...settings, DATABASE_URL_FILE: '/dev/null' }),
      'DATABASE_URL_FILE: /dev/null is empty. It must contain the PostgreSQL database, with the role of the domain.',
    ],
    [
      'an unknown function',
      () => refusal('get-order', { ...settings, FUNCTION: 'get-everything' }),
      /^FUNCTION=get-everything: there is no such function here\. Set it to one of: get-order, /,
    ],
    [
      'a function of another image',
      () => refusal('get-order', { ...settings, DATABASE_URL: orders, FUNCTION: 'cancel-order' }, onPooler),
      /^FUNCTION=cancel-order: there is no such function here\. Set it to one of: get-order, .*, or run the image of that name\.$/,
    ],
    [
      'PostgreSQL that cannot be reached',
      () => refusal('get-order', { ...settings, DATABASE_URL: orders }),
      /^DATABASE_URL: PostgreSQL cannot be used \((?:ENOTFOUND|EAI_AGAIN)\)\. Start it, or set DATABASE_URL to its address\.$/,
    ],
    [
      'a pooler that refuses the password',
      () =>
        refusal(
          'get-order',
          { ...settings, DATABASE_URL: orders.replace(/:[^:]+@/, ':guessed@'), STORE_WAIT_SECONDS: '60' },
          onPooler,
        ),
      'DATABASE_URL: PostgreSQL cannot be used (it refuses the role or its password). Start it, or set DATABASE_URL to its address.',
    ],
    [
      'MongoDB that cannot be reached',
      () => refusal('get-product', { ...settings, MONGODB_URL: secret('products-mongodb-url') }),
      /^MONGODB_URL: MongoDB cannot be used \(.+\)\. Start it, or set MONGODB_URL to its address\.$/,
    ],
    [
      'NATS that cannot be reached',
      () =>
        refusal(
          'dispatcher',
          {
            ...settings,
            ...Object.fromEntries(deliveryKeys.map((setting) => [setting, secret(fileOf(setting))])),
            DATABASE_URL: secret('events-database-url'),
            NATS_URL: secret('nats-url'),
          },
          onPooler,
        ),
      /^NATS_URL: NATS cannot be used \(.+\)\. Start it, or set NATS_URL to its address\.$/,
    ],
    [
      'a PostgreSQL database with an older schema',
      () =>
        refusal(
          'get-order',
          { ...settings, DATABASE_URL: secret('orders-direct-url').replace(/[^/]+$/, 'empty') },
          'zeroshop-test_postgres',
        ),
      `The orders data in PostgreSQL is older than this code (version 0 of ${version}). Run the migration first (FUNCTION=migrate).`,
    ],
    [
      'a MongoDB database with an older schema',
      () =>
        refusal(
          'get-product',
          { ...settings, MONGODB_URL: secret('admin-mongodb-url') },
          'zeroshop-test_mongodb',
        ),
      `The products data in MongoDB is older than this code (version 0 of ${products.length}). Run the migration first (FUNCTION=migrate).`,
    ],
  ] as const)('%s', (_, run, says) => {
    const { status, stdout, stderr } = run()
    expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 1, stdout: '', lines: 2 })
    expect(stderr).toMatch(/^zeroshop: /)
    const said = stderr.replace(/^zeroshop: /, '').trimEnd()
    if (typeof says === 'string') expect(said).toBe(says)
    else expect(said).toMatch(says)
  })

  it('a database with a newer, incompatible schema, also for the migration', async () => {
    const newer = version + 1
    await psql(
      'zeroshop',
      `update drizzle.versions set version = ${newer}, oldest = ${newer} where domain = 'orders'`,
    )
    const says = `The orders data in PostgreSQL was migrated by a newer Zeroshop (version ${newer}), which this code (version ${version}) cannot use. Run version ${newer} or newer, or use another database.`
    try {
      expect(refusal('get-order', { ...settings, DATABASE_URL: orders }, onPooler)).toEqual({
        status: 1,
        stdout: '',
        stderr: `zeroshop: ${says}\n`,
      })
      await expect(shop.compose('run', '--rm', '--no-deps', 'migrate')).rejects.toThrow(says)
    } finally {
      await psql(
        'zeroshop',
        `update drizzle.versions set version = ${version}, oldest = 0 where domain = 'orders'`,
      )
    }
  })
})
