import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JWK } from 'jose'
import { domainSecrets, fileOf } from '../functions/deployment.ts'
import { databaseRoles, domainNames, type DatabaseRole } from '../functions/table.ts'

/** What only this data folder's system knows: passwords of the roles, and secrets by the names of their files. */
export interface Secrets {
  passwords: Record<DatabaseRole, string>
  files: Readonly<Record<string, string>>
}

/** The secrets of a data folder; those that are missing, as of a domain that is new, are made. */
export async function localSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  // written below, perhaps by an earlier version
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets> & Earlier) : {}
  const files: Record<string, string> = { ...fromEarlier(kept), ...kept.files }
  for (const { setting, secret } of domainNames.flatMap(domainSecrets))
    files[fileOf(setting)] ??= secret === 'random' ? random() : await newPrivateKey()
  files['jwt-public-keys'] ??= await publicKeysFor(files['jwt-private-key']!)
  const secrets: Secrets = {
    // every role has its entry
    passwords: Object.fromEntries(
      databaseRoles.map((role) => [role, kept.passwords?.[role] ?? random()]),
    ) as Secrets['passwords'],
    files,
  }
  // a crash leaves the old file or the whole new one
  writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secrets
}

const random = () => randomBytes(24).toString('base64url')

// its library is loaded only when keys are made
const keys = () => import('../functions/users/tokens.ts')
const newPrivateKey = async () => JSON.stringify((await (await keys()).generateKeys()).privateKey)
const publicKeysFor = async (privateKey: string) =>
  JSON.stringify((await keys()).publicKeysOf(JSON.parse(privateKey) as JWK))

/** What earlier versions wrote. */
interface Earlier {
  privateKey?: unknown
  publicKeys?: unknown
  providerKey?: string
}

const fromEarlier = ({ privateKey, publicKeys, providerKey }: Earlier) =>
  privateKey === undefined
    ? {}
    : {
        'jwt-private-key': JSON.stringify(privateKey),
        'jwt-public-keys': JSON.stringify(publicKeys),
        'payment-provider-key': providerKey!,
      }
