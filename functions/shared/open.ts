import type { JSONWebKeySet, JWK } from 'jose'
import type { Logger } from 'pino'
import type { Domain } from '../functions.ts'
import { authenticator, type Authenticate } from './auth/access-token.ts'
import { ConfigError, settings, type Config, type Setting } from './process/config.ts'
import type { DepsOf } from './deps.ts'
import type { Service } from './process/service.ts'

export interface Opened<D extends Domain> extends Service {
  deps: DepsOf<D>
}

/** Opens what a domain's functions need; only the drivers of that domain are loaded. */
export const open: { [D in Domain]: (config: Config, log: Logger, name: string) => Promise<Opened<D>> } = {
  users: async (config, log, name) => {
    const [{ createTokens }, postgres] = await Promise.all([
      import('../users/tokens.ts'),
      openDb(config, name),
    ])
    const tokens = await createTokens(json(config, 'JWT_PRIVATE_KEY') as JWK, publicKeys(config)).catch(
      () => {
        throw unusable('JWT_PRIVATE_KEY')
      },
    )
    return { ...postgres, deps: { log, db: postgres.db, tokens } }
  },
  products: async (config, log) => {
    const [{ openProducts }, { checkProducts }, { storeWaitMs }] = await Promise.all([
      import('../products/store.ts'),
      import('../products/schema-version.ts'),
      import('./store/wait-for-store.ts'),
      knockAt(config, 'MONGODB_URL', 27_017),
    ])
    const { db, products, ping, close } = await openProducts(config.need('MONGODB_URL'))
    return {
      deps: { log, products },
      checked: inBackground(checkProducts(db, storeWaitMs(config))),
      ping,
      close,
    }
  },
  stock: async (config, log, name) => {
    const postgres = await openDb(config, name)
    return { ...postgres, deps: { log, db: postgres.db, products: await reader(config) } }
  },
  orders: async (config, log, name) => {
    const postgres = await openDb(config, name)
    const deadlineMs = config.number('ORDER_DEADLINE_SECONDS', 900) * 1000
    return { ...postgres, deps: { log, db: postgres.db, products: await reader(config), deadlineMs } }
  },
  payments: async (config, log, name) => {
    const [{ httpProvider }, postgres] = await Promise.all([
      import('../payments/http-provider.ts'),
      openDb(config, name),
    ])
    const provider = httpProvider(config.need('PAYMENT_PROVIDER_URL'), config.need('PAYMENT_PROVIDER_KEY'))
    return { ...postgres, deps: { log, db: postgres.db, provider } }
  },
}

/** Verifies access tokens with the configured public keys. */
export function openAuthenticator(config: Config): Authenticate {
  const keys = publicKeys(config)
  try {
    return authenticator(keys)
  } catch {
    throw unusable('JWT_PUBLIC_KEYS')
  }
}

const publicKeys = (config: Config) => json(config, 'JWT_PUBLIC_KEYS') as JSONWebKeySet

/** While the driver is being loaded. */
async function knockAt(config: Config, setting: Setting, port: number): Promise<void> {
  const { knock } = await import('./store/wait-for-store.ts')
  await knock(config.get(setting) ?? '', port)
}

async function openDb(config: Config, name: string) {
  const [{ openPostgres }, { checkSchema }, { storeWaitMs }] = await Promise.all([
    import('./store/postgres.ts'),
    import('./store/schema-version.ts'),
    import('./store/wait-for-store.ts'),
    knockAt(config, 'DATABASE_URL', 5432),
  ])
  const db = openPostgres(config.need('DATABASE_URL'), { name })
  return {
    db,
    checked: inBackground(checkSchema(db.client, storeWaitMs(config))),
    ping: async () => {
      await db.client`select 1`
    },
    close: () => db.client.end({ timeout: 5 }),
  }
}

/** It goes on while the function is loaded, and is awaited after that. */
function inBackground(check: Promise<void>): Promise<void> {
  check.catch(() => {})
  return check
}

async function reader(config: Config) {
  const { httpProductReader } = await import('./http/product-reader.ts')
  return httpProductReader(config.functionUrl('list-products'))
}

function json(config: Config, name: Setting): unknown {
  try {
    return JSON.parse(config.need(name))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw unusable(name)
  }
}

const unusable = (name: Setting) => new ConfigError(`${name} cannot be used: set it to ${settings[name]}.`)
