import { join } from 'node:path'
import { functions, stores, type DatabaseRole, type FunctionName } from '../functions/functions.ts'
import type { Setting } from '../functions/shared/process/config.ts'
import { demoPassword } from '../demo/people.ts'
import type { Secrets } from './secrets.ts'

export interface Addresses {
  postgres: string
  mongodb: string
  nats: string
  /** The port of the payment sandbox. */
  sandboxPort: number
  /** Of the internal front, with {function} for a function's name. */
  functionUrl: string
}

/** What runs all the time beside the functions. */
export type ServiceName = 'relay' | 'dispatcher' | 'payment-sandbox'
/** And what runs once, before. */
type JobName = 'migrate'
type Settings = Partial<Record<Setting, string>>

/** The settings of each process: no function is told more than its domain needs. */
export function environment(addresses: Addresses, secrets: Secrets, dataDir: string, extra: Settings = {}) {
  const database = (role: DatabaseRole) => {
    const url = new URL(addresses.postgres)
    url.username = role
    url.password = secrets.passwords[role]
    return url.href
  }
  const keys = { JWT_PUBLIC_KEYS: JSON.stringify(secrets.publicKeys) }
  // the stores are there before anything that needs them; a request does not wait for one that is gone
  const common = { HOST: '127.0.0.1', STORE_WAIT_SECONDS: '1', FUNCTION_URL: addresses.functionUrl, ...extra }
  const mongodb = { MONGODB_URL: withDatabase(addresses.mongodb, 'products') }

  return {
    database,
    portOf: (name: ServiceName) => (name === 'payment-sandbox' ? addresses.sandboxPort : 0),
    ofFunction(name: FunctionName): Settings {
      const { domain } = functions[name]
      if (stores[domain] === 'mongodb') return { ...common, ...keys, ...mongodb }
      return {
        ...common,
        ...keys,
        // a domain in PostgreSQL has its role
        DATABASE_URL: database(domain as DatabaseRole),
        ...(domain === 'users' ? { JWT_PRIVATE_KEY: JSON.stringify(secrets.privateKey) } : {}),
        ...(domain === 'payments'
          ? {
              PAYMENT_PROVIDER_URL: extra.PAYMENT_PROVIDER_URL ?? `http://127.0.0.1:${addresses.sandboxPort}`,
              PAYMENT_PROVIDER_KEY: secrets.providerKey,
            }
          : {}),
      }
    },
    ofService(name: ServiceName | JobName): Settings {
      if (name === 'payment-sandbox')
        return {
          ...common,
          PAYMENT_PROVIDER_KEY: secrets.providerKey,
          PAYMENT_SANDBOX_JOURNAL: join(dataDir, 'payment-sandbox.jsonl'),
        }
      if (name === 'migrate')
        return {
          ...mongodb,
          ADMIN_DATABASE_URL: addresses.postgres,
          USERS_DATABASE_URL: database('users'),
          STOCK_DATABASE_URL: database('stock'),
          ORDERS_DATABASE_URL: database('orders'),
          PAYMENTS_DATABASE_URL: database('payments'),
          EVENTS_DATABASE_URL: database('events'),
          DEMO_PASSWORD: demoPassword,
        }
      const settings = { ...common, DATABASE_URL: database('events'), NATS_URL: addresses.nats }
      return name === 'relay'
        ? { ...settings, ...mongodb, ORDERS_DATABASE_URL: database('orders') }
        : settings
    },
  }
}

export type Environment = ReturnType<typeof environment>

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  if (changed.pathname === '' || changed.pathname === '/') changed.pathname = `/${name}`
  return changed.href
}
