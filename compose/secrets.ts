/**
 * `npm run secrets`: makes the missing secrets, each as a file in compose/secrets. It keeps existing ones.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import type { JWK } from 'jose'
import {
  databaseUrl,
  deliveryKeys,
  directRoles,
  directUrl,
  domainSecrets,
  fileOf,
  mongodbUrl,
} from '../functions/deployment.ts'
import { databaseRoles, domainNames, domainsIn } from '../functions/table.ts'
import { newKey } from '../events/signature.ts'
import { run } from '../functions/shared/process/run.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { generateKeys, publicKeysOf } from '../functions/users/tokens.ts'

export const secretsFolder = join(import.meta.dirname, 'secrets')

/** Returns 192 random bits as a text that needs no quoting in a URL or a configuration file. */
const random = () => randomBytes(24).toString('base64url')

/** The addresses of the shop's own PostgreSQL and of its pooler, as parts of a URL. */
const direct = '@postgres:5432/'
const pooled = '@pgbouncer:5432/'

/**
 * Makes the secrets that are missing or empty. If a secret is made again, those that contain it (such as a
 * URL with a password) are made again, too. A store that already has data keeps the administrator's password
 * with which it was initialized. If a role's URL for the shop's own PostgreSQL changes, its direct URL is
 * updated. Existing URLs of other servers are never changed.
 * @returns the names of the secrets that were made
 */
export async function makeSecrets(folder = secretsFolder): Promise<string[]> {
  // Only the owner may open the folder. The files in it are readable by all, because containers read them as
  // different users.
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const made: string[] = []
  const secret = async (
    name: string,
    make: () => string | Promise<string>,
    ...of: string[]
  ): Promise<string> => {
    const kept = read(join(folder, name))
    return kept !== '' && !of.some((name) => made.includes(name)) ? kept : write(name, await make())
  }
  const write = (name: string, value: string): string => {
    const file = join(folder, name)
    // A crash leaves either the old file or the new one. A leftover `.new` file is read-only, so it is
    // removed first.
    rmSync(`${file}.new`, { force: true })
    writeFileSync(`${file}.new`, `${value}\n`, { mode: 0o444 })
    chmodSync(`${file}.new`, 0o444)
    renameSync(`${file}.new`, file)
    made.push(name)
    return value
  }

  const postgres = await secret('postgres-password', random)
  await secret(
    'admin-database-url',
    () => `postgres://postgres:${postgres}@postgres:5432/zeroshop`,
    'postgres-password',
  )
  // the migration sets the passwords of the roles to those in these URLs
  for (const role of databaseRoles) {
    const [file, past] = [fileOf(databaseUrl(role)), fileOf(directUrl(role))]
    let url = await secret(file, () => `postgres://${role}:${random()}${pooled}zeroshop`)
    // this URL is from before there was a pooler
    if (url.includes(direct)) url = write(file, url.replace(direct, pooled))
    if (!directRoles.includes(role)) continue
    const wanted = url.replace(pooled, direct)
    const kept = await secret(past, () => wanted)
    if (kept.includes(direct) && kept !== wanted) write(past, wanted)
  }
  const pooler = await secret('pgbouncer-password', random)
  const monitoring = await secret('monitoring-password', random)
  await secret(
    'monitoring-database-url',
    () => `postgres://monitoring:${monitoring}@postgres:5432/zeroshop`,
    'monitoring-password',
  )
  await secret(
    'pgbouncer-users',
    () => `"pgbouncer" "${pooler}"\n"monitoring" "${monitoring}"`,
    'pgbouncer-password',
    'monitoring-password',
  )
  await secret('grafana-admin-password', random)

  const mongodb = await secret('mongodb-password', random)
  await secret('admin-mongodb-url', () => `mongodb://root:${mongodb}@mongodb:27017/admin`, 'mongodb-password')
  // the migration sets the passwords of these users, too
  for (const domain of domainsIn('mongodb'))
    await secret(fileOf(mongodbUrl(domain)), () => `mongodb://${domain}:${random()}@mongodb:27017/${domain}`)

  const url = await secret('nats-url', () => `nats://zeroshop:${random()}@nats:4222`)
  const { username, password } = new URL(url)
  await secret(
    'nats-authorization',
    () => `authorization { user: "${username}", password: "${password}" }`,
    'nats-url',
  )

  // for compose.redis.yaml
  const redis = await secret('redis-url', () => `redis://:${random()}@redis:6379`)
  await secret('redis-conf', () => `requirepass ${new URL(redis).password}`, 'redis-url')
  await secret('redis-password', () => new URL(redis).password, 'redis-url')
  const admin = await secret('gateway-admin-password', random)
  await secret('gateway-admin-hash', () => hash(admin), 'gateway-admin-password')

  for (const setting of deliveryKeys) await secret(fileOf(setting), newKey)
  const makers = {
    random,
    'private key': async () => JSON.stringify((await generateKeys()).privateKey),
    'signing key': newKey,
  }
  for (const domain of domainNames)
    for (const { setting, secret: kind } of domainSecrets(domain)) await secret(fileOf(setting), makers[kind])
  // the private key was written above, or by someone who rotated the keys
  await secret(
    'jwt-public-keys',
    () => JSON.stringify(publicKeysOf(JSON.parse(read(join(folder, 'jwt-private-key'))) as JWK)),
    'jwt-private-key',
  )

  await secret('demo-password', random)
  return made
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

const usage = `npm run secrets
Makes the secrets that are missing, each a file in compose/secrets. None that is there is changed.`

if (import.meta.main)
  await run(async () => {
    readArguments(usage, {})
    const made = await makeSecrets()
    console.log(
      made.length === 0
        ? 'All secrets already exist in compose/secrets.'
        : `Made ${made.length} secrets in compose/secrets: ${made.join(', ')}.`,
    )
  })
