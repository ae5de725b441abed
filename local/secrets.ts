import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JSONWebKeySet, JWK } from 'jose'
import { databaseRoles, type DatabaseRole } from '../functions/functions.ts'

/** What only this data folder's system knows. */
export interface Secrets {
  privateKey: JWK
  publicKeys: JSONWebKeySet
  /** Our API key at the payment provider. */
  providerKey: string
  passwords: Record<DatabaseRole, string>
}

/** The secrets of a data folder, made the first time. */
export async function secretsOf(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  // written below
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  // loaded only the first time
  const { generateKeys } = await import('../functions/users/tokens.ts')
  const random = () => randomBytes(24).toString('base64url')
  const secrets: Secrets = {
    ...(await generateKeys()),
    providerKey: random(),
    // every role has its entry
    passwords: Object.fromEntries(databaseRoles.map((role) => [role, random()])) as Record<
      DatabaseRole,
      string
    >,
  }
  // a crash leaves the old file or the whole new one
  writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secrets
}
