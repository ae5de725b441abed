import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JWK } from 'jose'
import { deliveryKeys, domainSecrets, fileOf } from '../functions/deployment.ts'
import { newKey } from '../events/signature.ts'
import { databaseRoles, domainNames, domainsIn, type DatabaseRole } from '../functions/table.ts'

/** The secrets of the shop in a data folder. */
export interface Secrets {
  passwords: Record<DatabaseRole, string>
  /** By the names of the files that contain them in containers. */
  files: Readonly<Record<string, string>>
}

/** Returns the secrets of a data folder. Creates those that are missing, for example of a new domain. */
export async function localSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  // written below, maybe by an earlier version
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets> & Earlier) : {}
  const files: Record<string, string> = { ...fromEarlier(kept), ...kept.files }
  for (const { setting, secret } of domainNames.flatMap(domainSecrets))
    files[fileOf(setting)] ??= await makers[secret]()
  for (const file of deliveryKeys.map(fileOf)) files[file] ??= newKey()
  files['monitoring-password'] ??= random()
  files['jwt-public-keys'] ??= await publicKeysFor(files['jwt-private-key']!)
  const secrets: Secrets = {
    passwords: Object.fromEntries(
      [...databaseRoles, ...domainsIn('mongodb')].map((role) => [role, kept.passwords?.[role] ?? random()]),
    ) as Secrets['passwords'],
    files,
  }
  // a rename, so that a crash leaves either the old or the complete new file
  writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secrets
}

const random = () => randomBytes(24).toString('base64url')

// the library is loaded only if keys are created
const keys = () => import('../functions/users/tokens.ts')
const makers = {
  random,
  'private key': async () => JSON.stringify((await (await keys()).generateKeys()).privateKey),
  'signing key': newKey,
}
const publicKeysFor = async (privateKey: string) =>
  JSON.stringify((await keys()).publicKeysOf(JSON.parse(privateKey) as JWK))

/** The format of earlier versions. */
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
