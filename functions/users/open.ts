import type { JWK } from 'jose'
import type { Logger } from 'pino'
import { publicKeys, readJson } from '../shared/auth/keys.ts'
import type { Config } from '../shared/process/config.ts'
import { openCache } from '../shared/store/cache.ts'
import { openDatabase } from '../shared/store/open-database.ts'
import { cachedEnded } from './session-cache.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the users functions. */
export async function open(config: Config, log: Logger, name: string) {
  const [{ createTokens }, { db, ...service }] = await Promise.all([
    import('./tokens.ts'),
    openDatabase(config, { name, domain: 'users', migrations }),
  ])
  const { endedInUsers } = await import('./families.ts')
  const privateKey = readJson(config, 'JWT_PRIVATE_KEY') as JWK
  const tokens = await createTokens(privateKey, publicKeys(config)).catch(() => {
    throw config.unusable('JWT_PRIVATE_KEY')
  })
  const secondFactorKey = config.need('SECOND_FACTOR_KEY')
  const inUsers = endedInUsers(db)
  const cache = openCache(config)
  const isSessionEnded = cache === undefined ? inUsers : cachedEnded(inUsers, cache)
  const close = async () => {
    cache?.close()
    await service.close()
  }
  return { ...service, close, deps: { log, db, tokens, secondFactorKey, isSessionEnded } }
}
