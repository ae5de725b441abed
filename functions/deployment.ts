/**
 * The secrets that each process gets when the shop is deployed. Each secret is a setting in a file that
 * `npm run secrets` makes and names after the setting. A process gets only the secrets that it needs.
 */
import {
  databaseRoles,
  domainNames,
  domains,
  domainsIn,
  functions,
  functionsOf,
  reactingDomains,
  type DatabaseRole,
  type Domain,
  type FunctionName,
} from './table.ts'
import { deliveryKeysSetting, urlSetting } from './shared/process/config.ts'

type Files = Readonly<Record<string, string>>

/** Returns the name of the file that contains a setting: `jwt-private-key` for JWT_PRIVATE_KEY. */
export const fileOf = (setting: string) => setting.toLowerCase().replaceAll('_', '-')

const files = (...settings: string[]): Files =>
  Object.fromEntries(settings.map((setting) => [setting, fileOf(setting)]))

/** Returns the setting that contains the PostgreSQL URL of a role, by way of the pooler if there is one. */
export const databaseUrl = (role: DatabaseRole) => urlSetting(role, 'postgres')
/** Returns the setting that contains the URL of a role past the pooler. */
export const directUrl = (role: DatabaseRole) => `${role.toUpperCase()}_DIRECT_URL`
/** Returns the setting that contains the URL of a domain's MongoDB database. */
export const mongodbUrl = (domain: Domain) => urlSetting(domain, 'mongodb')

/** The settings with the keys of deliveries: the dispatcher gets all of them, a function those of its domain. */
export const deliveryKeys = reactingDomains.map(deliveryKeysSetting)

/** Returns the domain's own settings that are secrets, and how each is generated. */
export const domainSecrets = (domain: Domain) =>
  Object.entries(domains[domain].settings ?? {}).flatMap(([setting, { secret }]) =>
    secret === undefined ? [] : [{ setting, secret }],
  )

/** Whether a function uses LISTEN, which needs a connection past the pooler. */
export const listens = (name: FunctionName): boolean => 'listens' in functions[name]

/** Returns the networks that a function needs, in addition to that of its store. */
export const networksOf = (name: FunctionName): readonly string[] => [
  ...(domains[functions[name].domain].networks ?? []),
  ...(functions[name].networks ?? []),
]

/** The roles that also connect past the pooler: those of functions that listen, and of the relay. */
export const directRoles = databaseRoles.filter(
  (role) => role === 'events' || functionsOf(role).some(listens),
)

/** Returns the secrets of a domain's functions: the file of each setting. */
export const secretsOf = (domain: Domain): Files => ({
  ...files('JWT_PUBLIC_KEYS', ...domainSecrets(domain).map(({ setting }) => setting)),
  ...(domains[domain].store === 'mongodb'
    ? { MONGODB_URL: fileOf(mongodbUrl(domain)) }
    : { DATABASE_URL: fileOf(databaseUrl(domain)) }),
  ...(reactingDomains.includes(domain) ? { DELIVERY_KEYS: fileOf(deliveryKeysSetting(domain)) } : {}),
  ...(directRoles.includes(domain) ? { LISTEN_DATABASE_URL: fileOf(directUrl(domain)) } : {}),
})

/** Returns the domain's own settings that are addresses of services, and their values. */
export const servicesOf = (domain: Domain): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(domains[domain].settings ?? {}).flatMap(([setting, { service }]) =>
      service === undefined ? [] : [[setting, service]],
    ),
  )

export const mongodbUrls = domainsIn('mongodb').map(mongodbUrl)

/** The secrets of the processes that are not functions: the file of each setting. */
export const serviceSecrets = {
  relay: {
    // it listens, and its commits do not wait for the disk
    DATABASE_URL: fileOf(directUrl('events')),
    ...files(
      ...domainNames.filter((domain) => (domains[domain].outboxes ?? []).length > 0).map(mongodbUrl),
      'NATS_URL',
    ),
  },
  dispatcher: {
    DATABASE_URL: fileOf(databaseUrl('events')),
    ...files('NATS_URL', ...deliveryKeys),
  },
  migrate: files(
    'ADMIN_DATABASE_URL',
    ...databaseRoles.map(databaseUrl),
    'ADMIN_MONGODB_URL',
    ...mongodbUrls,
    'DEMO_PASSWORD',
  ),
  'payment-sandbox': files('PAYMENT_PROVIDER_KEY', 'PAYMENT_WEBHOOK_KEYS'),
} as const satisfies Record<string, Files>

/** What the migration needs, too, if the shop has a pooler of its own, and is monitored. */
export const poolerSecrets: Files = { POOLER_PASSWORD: 'pgbouncer-password' }
export const monitoringSecrets: Files = { MONITORING_PASSWORD: 'monitoring-password' }

/**
 * Whether an order needs the function. It needs every reaction: an event that no reaction handles becomes a
 * dead letter.
 */
export const isCore = (name: FunctionName) => 'on' in functions[name] || 'core' in functions[name]
