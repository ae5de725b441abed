import { readFileSync } from 'node:fs'
import { UserError } from './user-error.ts'

/** The settings of a process. Each is read when it is needed. */
export interface Config {
  /** Returns a setting. Throws a UserError if it is missing, or is a URL that cannot be parsed. */
  need(name: string): string
  /** Returns a setting, or undefined if it is missing. */
  get(name: string): string | undefined
  /** Returns a setting that is a number above 0, such as 0.5. Throws a UserError if it is not one. */
  number(name: string, otherwise: number): number
  /** Returns an error which says that a setting's value cannot be used, and what it should be. */
  unusable(name: string): UserError
  /** Returns the address of a function, from the template FUNCTION_URL. */
  functionUrl(name: string): string
}

const deliveryKeysOf = (domain: string) =>
  `the keys that sign what the dispatcher delivers to ${domain}, separated by spaces: each is whsec_ and 24 to 64 bytes in base64`

/**
 * The settings that every process may have, with their descriptions. A domain's own settings are in its
 * domain.ts. Instead of `NAME`, `NAME_FILE` may be set to a file that contains the value.
 */
export const settings: Readonly<Record<string, string>> = {
  FUNCTION: 'the function to serve, by its name in domain.ts',
  PORT: 'the port to listen on; 8080 if it is not set, a free port if it is 0',
  HOST: 'the address to listen on; all addresses if it is not set',
  LOG_LEVEL: 'trace, debug, info, warn or error; info if it is not set',
  LOG_REQUESTS: 'whether a line is logged for each request; false if it is not set',
  DATABASE_URL: 'the PostgreSQL database, with the role of the domain',
  LISTEN_DATABASE_URL:
    'the PostgreSQL database without the pooler, for LISTEN; DATABASE_URL if it is not set',
  ADMIN_DATABASE_URL:
    'the PostgreSQL database, with a role that may create roles and schemas, for the migration',
  MONITORING_DATABASE_URL:
    'the PostgreSQL database, with the role monitoring, which may read statistics and what npm run check-books reads',
  CHECK_EVERY_SECONDS: 'how often the books are checked; once if it is not set',
  MONITORING_PASSWORD: 'the password of the role monitoring, if the shop is monitored',
  POOLER_PASSWORD:
    'the password of the role pgbouncer, for the migration; if it is not set, the role is not created',
  MONGODB_URL: 'the MongoDB database, with the user of the domain',
  ADMIN_MONGODB_URL:
    'the MongoDB server, with a user that may create users, for the migration; if it is not set, no users are created',
  DEMO_PASSWORD:
    'the password of the demo users; if it is not set, the migration creates neither demo users nor a catalogue',
  ADMIN_EMAIL: 'the e-mail address of the user who becomes an admin',
  ADMIN_NAME: 'the name of a new admin; Admin if it is not set',
  ADMIN_PROMOTE: 'set to make a user an admin who has registered already',
  NATS_URL: 'the NATS server with JetStream',
  DELIVERY_KEYS: deliveryKeysOf('the domain'),
  JWT_PUBLIC_KEYS: 'the keys that verify access tokens, as a JWK set',
  PAYMENT_PROVIDER_KEY: 'the API key that the payment sandbox accepts',
  PAYMENT_WEBHOOK_KEYS:
    'the keys that sign the payment sandbox’s webhooks, separated by spaces: each is whsec_ and 24 to 64 bytes in base64',
  PAYMENT_SANDBOX_JOURNAL: 'the file in which the payment sandbox records its payments',
  TRUSTED_PROXIES:
    'the proxies whose X-Forwarded-For is believed: how many there are before the functions, or their ranges; 1 if it is not set',
  LIMITS_FACTOR: 'what every limit on requests is multiplied by; 1 if it is not set, and 0 for no limits',
  REDIS_URL:
    'the Redis or Valkey in which requests are counted and sessions cached; if it is not set, each domain uses its own store',
  FUNCTION_URL: 'the address of a function, with {function} in place of its name',
  K_REVISION: 'the revision of this function, which Knative sets; it is sent in each response as X-Revision',
  STORE_WAIT_SECONDS: 'how long to wait at the start for a store that does not respond; 20 if it is not set',
  REDELIVER_AFTER_SECONDS: 'when to republish an event that a reaction has not handled; 30 if it is not set',
  RETRY_DELAYS_SECONDS: 'the pauses between the attempts of a reaction; 1,5,30,120,600 if it is not set',
  COLD_PATIENCE_SECONDS:
    'how long a reaction for which nobody waits is not started, so that others start first: at most 10, 0.1 if it is not set',
  JETSTREAM_REPLICAS: 'the number of replicas of the stream; 1 if it is not set',
  OTEL_EXPORTER_OTLP_ENDPOINT:
    'the collector that metrics and spans are sent to, such as http://collector:4318; none are sent if it is not set',
  OTEL_EXPORTER_OTLP_HEADERS:
    'the headers that the collector wants, as name=value,name=value, with values percent-encoded',
  OTEL_EXPORTER_OTLP_TIMEOUT: 'how long the collector may take to answer, in ms; 5000 if it is not set',
  OTEL_METRIC_EXPORT_INTERVAL: 'how often metrics and spans are sent, in ms; 10000 if it is not set',
  OTEL_RESOURCE_ATTRIBUTES:
    'what else describes the process, as name=value,name=value, with values percent-encoded',
  OTEL_SDK_DISABLED: 'true to send nothing; false if it is not set',
  OTEL_SERVICE_NAME: 'the name of the service; that of the function if it is not set',
  OTEL_TRACES_SAMPLER: 'which traces are recorded; parentbased_always_on if it is not set',
  OTEL_TRACES_SAMPLER_ARG: 'the share of traces that are recorded, from 0 to 1; 1 if it is not set',
}

/** The settings of telemetry, which every process may have. */
export const telemetrySettings = [
  'LOG_REQUESTS',
  ...Object.keys(settings).filter((name) => name.startsWith('OTEL_')),
]

/** Returns the setting that contains the URL of a role's PostgreSQL schema, or of a domain's MongoDB database. */
export const urlSetting = (name: string, store: 'postgres' | 'mongodb') =>
  `${name.toUpperCase()}_${store === 'postgres' ? 'DATABASE' : 'MONGODB'}_URL`

/** Returns the setting with a domain's DELIVERY_KEYS, for the dispatcher. */
export const deliveryKeysSetting = (domain: string) => `${domain.toUpperCase()}_DELIVERY_KEYS`

/**
 * Describes a setting, including those that each domain has. Returns undefined if there is no such setting.
 */
function describe(name: string): string | undefined {
  if (settings[name] !== undefined) return settings[name]
  const [, domain, what] = /^([A-Z]+)_(DATABASE_URL|MONGODB_URL|DELIVERY_KEYS)$/.exec(name) ?? []
  if (domain === undefined) return undefined
  const of = domain.toLowerCase()
  if (what === 'DELIVERY_KEYS') return deliveryKeysOf(of)
  return what === 'DATABASE_URL'
    ? `the PostgreSQL database, with the role ${of}, for the migration`
    : `the MongoDB database of the domain ${of}, with its user`
}

/**
 * Whether there is a setting with this name.
 * @param more settings of domains
 */
export const isSetting = (name: string, more: object = {}): boolean =>
  describe(name) !== undefined || name in more

/**
 * Describes a setting.
 * @param more settings of domains, with their descriptions
 * @throws Error if there is no such setting, which is a mistake in the code
 */
export function describeSetting(name: string, more: Readonly<Record<string, string>> = {}): string {
  const found = more[name] ?? describe(name)
  if (found === undefined) throw new Error(`there is no setting ${name}`)
  return found
}

/**
 * Reads the settings from the environment of a process.
 * @param more settings of the function's domain, with their descriptions
 */
export function readConfig(env: NodeJS.ProcessEnv, more: Readonly<Record<string, string>> = {}): Config {
  const explain = (name: string) => describeSetting(name, more)
  const get = (name: string) => {
    const file = env[`${name}_FILE`]
    if (file === undefined) return env[name] === '' ? undefined : env[name]
    let text: string
    try {
      text = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new UserError(
        `${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code}). Mount the secret there.`,
      )
    }
    if (text === '') throw new UserError(`${name}_FILE: ${file} is empty. It must contain ${explain(name)}.`)
    return text
  }
  const need = (name: string) => {
    const value = get(name)
    if (value === undefined)
      throw new UserError(`${name} is not set: it is ${explain(name)}. Set it, or ${name}_FILE.`)
    // the message does not quote the value, because it may contain a password
    if (name.endsWith('_URL') && !isUrl(value))
      throw new UserError(
        `${name} is not a URL: it is ${explain(name)}. Set it to scheme://user:password@host:port/path, ` +
          `with special characters in the password escaped, such as %2F for /.`,
      )
    return value
  }
  const number = (name: string, otherwise: number) => {
    const text = get(name)
    const value = text === undefined ? otherwise : Number(text)
    if (value > 0 && value < Infinity) return value
    throw new UserError(`${name}=${text}: it is ${explain(name)}. Set it to a number above 0.`)
  }
  return {
    get,
    need,
    number,
    unusable: (name) => new UserError(`${name} cannot be used: set it to ${explain(name)}.`),
    functionUrl: (name) => need('FUNCTION_URL').replaceAll('{function}', name),
  }
}

/** Whether every driver can parse the URL. It may have several hosts, or contain {function}. */
function isUrl(value: string): boolean {
  const [, authority = '', rest = ''] = /^[a-z][a-z+]*:\/\/([^/?#]+)(.*)$/.exec(value) ?? []
  const parts = authority.split('@')
  // an unescaped / ? # or @ in a password would be parsed as a delimiter
  if (authority === '' || parts.length > 2 || /[@#]/.test(rest)) return false
  try {
    decodeURIComponent(authority)
  } catch {
    return false
  }
  return authority.includes(',') || URL.canParse(value.replaceAll('{function}', 'function'))
}
