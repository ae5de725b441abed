import { join } from 'node:path'
import {
  databaseUrl,
  directUrl,
  fileOf,
  mongodbUrl,
  monitoringSecrets,
  secretsOf,
  servicesOf,
  serviceSecrets,
} from '../functions/deployment.ts'
import {
  databaseRoles,
  domains,
  domainsIn,
  functions,
  type DatabaseRole,
  type FunctionName,
} from '../functions/table.ts'
import { demoPassword } from './people.ts'
import type { Secrets } from './secrets.ts'

export interface Addresses {
  postgres: string
  mongodb: string
  /** Whether the URL is that of an administrator of ours, who can create a user for each domain. */
  mongodbIsOurs: boolean
  nats: string
  /** The port of the payment sandbox. */
  sandboxPort: number
  /** The port of the mail server that keeps mails on this machine. */
  mailPort: number
  /** The shop, as people reach it. */
  shopUrl: string
  /** The URL of a function for internal requests, with the placeholder {function}. */
  functionUrl: string
}

/** The services that always run beside the functions. */
export type ServiceName = 'relay' | 'dispatcher' | 'payment-sandbox'
/** The job that runs once before them. */
type JobName = 'migrate'
export type Settings = Readonly<Record<string, string>>

/** Returns the settings of each process. A function gets only the settings that its domain needs. */
export function environment(addresses: Addresses, secrets: Secrets, dataDir: string, extra: Settings = {}) {
  const loggingIn = (username: string, password: string) =>
    Object.assign(new URL(addresses.postgres), { username, password }).href
  const database = (role: DatabaseRole) => loggingIn(role, secrets.passwords[role])
  /** The values that containers read from files, by the names of the files. */
  const values: Settings = {
    ...secrets.files,
    'admin-database-url': addresses.postgres,
    'nats-url': addresses.nats,
    'demo-password': demoPassword,
    ...Object.fromEntries(databaseRoles.map((role) => [fileOf(databaseUrl(role)), database(role)])),
    [fileOf(directUrl('events'))]: database('events'),
    ...Object.fromEntries(
      domainsIn('mongodb').map((domain) => [
        fileOf(mongodbUrl(domain)),
        addresses.mongodbIsOurs
          ? withUser(addresses.mongodb, domain, secrets.passwords[domain])
          : withDatabase(addresses.mongodb, domain),
      ]),
    ),
    ...(addresses.mongodbIsOurs ? { 'admin-mongodb-url': addresses.mongodb } : {}),
  }
  const settings = (files: Settings): Settings =>
    Object.fromEntries(
      Object.entries(files).flatMap(([setting, file]) => {
        const value = values[file]
        return value === undefined ? [] : [[setting, value]]
      }),
    )
  const common = {
    HOST: '127.0.0.1',
    // less than the ten seconds after which the runner takes a process for settled
    STORE_WAIT_SECONDS: '8',
    FUNCTION_URL: addresses.functionUrl,
  }
  /** Returns the local address of a service. */
  const here = (address: string) =>
    address
      .replace(/^http:\/\/payment-sandbox:\d+/, `http://127.0.0.1:${addresses.sandboxPort}`)
      .replace(/^smtp:\/\/maildev:\d+/, `smtp://127.0.0.1:${addresses.mailPort}`)

  return {
    database,
    /** The database, as the role that migrates it. */
    admin: addresses.postgres,
    /** The database for checks of the books. */
    monitoring: loggingIn('monitoring', secrets.files['monitoring-password']!),
    portOf: (name: ServiceName) => (name === 'payment-sandbox' ? addresses.sandboxPort : 0),
    ofFunction(name: FunctionName): Settings {
      const { domain } = functions[name]
      const services = Object.entries(servicesOf(domain)).map(([setting, at]) => [setting, here(at)])
      const known = {
        SHOP_URL: addresses.shopUrl,
        // the system of a seller may be one that is being written on this machine
        WEBHOOKS_TO_LOOPBACK: '1',
      }
      const own = Object.entries(known).filter(([setting]) => setting in (domains[domain].settings ?? {}))
      return {
        ...common,
        // the stores are started first; if one of them has ended, requests should fail soon
        STORE_WAIT_SECONDS: '1',
        ...settings(secretsOf(domain)),
        ...Object.fromEntries([...services, ...own]),
        ...extra,
      }
    },
    ofService: (name: ServiceName | JobName): Settings => ({
      ...common,
      ...settings({ ...serviceSecrets[name], ...(name === 'migrate' && monitoringSecrets) }),
      ...(name === 'payment-sandbox'
        ? { PAYMENT_SANDBOX_JOURNAL: join(dataDir, 'payment-sandbox.jsonl') }
        : {}),
      ...extra,
    }),
  }
}

export type Environment = ReturnType<typeof environment>

/** The URL of a domain's user, who is in the domain's database. */
function withUser(url: string, domain: string, password: string): string {
  const changed = new URL(url)
  Object.assign(changed, { username: domain, password, pathname: `/${domain}` })
  changed.searchParams.delete('authSource')
  return changed.href
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  if (changed.pathname === '' || changed.pathname === '/') changed.pathname = `/${name}`
  return changed.href
}
