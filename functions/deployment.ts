/**
 * What each process is given when the shop is deployed: the settings that are secrets, each a file that
 * `npm run secrets` makes, by the setting's name. A process is given what it needs and no more.
 */
import { databaseRoles, domainNames, domains, domainsIn, type DatabaseRole, type Domain } from './table.ts'

type Files = Readonly<Record<string, string>>

/** The file that holds a setting: `jwt-private-key` for JWT_PRIVATE_KEY. */
export const fileOf = (setting: string) => setting.toLowerCase().replaceAll('_', '-')

const files = (...settings: string[]): Files =>
  Object.fromEntries(settings.map((setting) => [setting, fileOf(setting)]))

/** The setting, and so the file, with the URL of a role's schema. */
export const databaseUrl = (role: DatabaseRole) => `${role.toUpperCase()}_DATABASE_URL`
/** The same of a domain's MongoDB database. */
export const mongodbUrl = (domain: Domain) => `${domain.toUpperCase()}_MONGODB_URL`

/** The settings of a domain of its own that are secrets, and how they are made. */
export const domainSecrets = (domain: Domain) =>
  Object.entries(domains[domain].settings ?? {}).flatMap(([setting, { secret }]) =>
    secret === undefined ? [] : [{ setting, secret }],
  )

/** The secrets of a domain's functions. */
export const secretsOf = (domain: Domain): Files => ({
  ...files('JWT_PUBLIC_KEYS', ...domainSecrets(domain).map(({ setting }) => setting)),
  ...(domains[domain].store === 'mongodb'
    ? { MONGODB_URL: fileOf(mongodbUrl(domain)) }
    : { DATABASE_URL: fileOf(databaseUrl(domain)) }),
})

/** The settings of a domain of its own that are addresses of services beside the functions. */
export const servicesOf = (domain: Domain): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(domains[domain].settings ?? {}).flatMap(([setting, { service }]) =>
      service === undefined ? [] : [[setting, service]],
    ),
  )

export const mongodbUrls = domainsIn('mongodb').map(mongodbUrl)

/** The secrets of what runs beside the functions. */
export const serviceSecrets = {
  relay: {
    DATABASE_URL: fileOf(databaseUrl('events')),
    ...files(
      ...domainNames.filter((domain) => (domains[domain].outboxes ?? []).length > 0).map(mongodbUrl),
      'NATS_URL',
    ),
  },
  dispatcher: { DATABASE_URL: fileOf(databaseUrl('events')), ...files('NATS_URL') },
  migrate: files(
    'ADMIN_DATABASE_URL',
    ...databaseRoles.map(databaseUrl),
    'ADMIN_MONGODB_URL',
    ...mongodbUrls,
    'DEMO_PASSWORD',
  ),
  'payment-sandbox': files('PAYMENT_PROVIDER_KEY'),
} as const satisfies Record<string, Files>
