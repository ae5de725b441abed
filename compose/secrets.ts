/** `npm run secrets`: makes the secrets that are missing, each a file in compose/secrets; none is ever changed. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JWK } from 'jose'
import { databaseRoles } from '../functions/functions.ts'
import { generateKeys, publicKeysOf } from '../functions/sessions/tokens.ts'

export const secretsFolder = join(import.meta.dirname, 'secrets')

/** What is made anew: 192 random bits, which need no quoting in a URL or a configuration file. */
const random = () => randomBytes(24).toString('base64url')

/**
 * Makes the secrets that are missing or empty. Those that go together (a password and the URL that holds it) are made
 * from each other, so that any of them can be removed to have it made again.
 * @returns the names of those that it made
 */
export async function makeSecrets(folder = secretsFolder): Promise<string[]> {
  // the folder is closed to other people; the files in it are not, as containers read them as users of their own
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const made: string[] = []
  const secret = async (name: string, make: () => string | Promise<string>): Promise<string> => {
    const file = join(folder, name)
    const kept = read(file)
    if (kept !== '') return kept
    const value = await make()
    // a crash leaves nothing or the whole
    writeFileSync(`${file}.new`, `${value}\n`, { mode: 0o444 })
    chmodSync(`${file}.new`, 0o444)
    renameSync(`${file}.new`, file)
    made.push(name)
    return value
  }

  const postgres = await secret('postgres-password', random)
  await secret('admin-database-url', () => `postgres://postgres:${postgres}@postgres:5432/zeroshop`)
  // the migration gives the roles the passwords in these
  for (const role of databaseRoles)
    await secret(`${role}-database-url`, () => `postgres://${role}:${random()}@postgres:5432/zeroshop`)

  const mongodb = await secret('mongodb-password', random)
  await secret('admin-mongodb-url', () => `mongodb://root:${mongodb}@mongodb:27017/admin`)
  // and this user its password
  await secret('mongodb-url', () => `mongodb://products:${random()}@mongodb:27017/products`)

  const url = await secret('nats-url', () => `nats://zeroshop:${random()}@nats:4222`)
  const { username, password } = new URL(url)
  await secret('nats-authorization', () => `authorization { user: "${username}", password: "${password}" }`)

  const privateKey = await secret('jwt-private-key', async () =>
    JSON.stringify((await generateKeys()).privateKey),
  )
  // written above, or by who rotates keys
  await secret('jwt-public-keys', () => JSON.stringify(publicKeysOf(JSON.parse(privateKey) as JWK)))

  await secret('payment-provider-key', random)
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

if (import.meta.main) {
  const made = await makeSecrets()
  console.log(
    made.length === 0
      ? 'Every secret is there, in compose/secrets.'
      : `Made ${made.length} secrets in compose/secrets: ${made.join(', ')}.`,
  )
}
