import { readFileSync } from 'node:fs'
import { UserError } from './user-error.ts'

/** The settings of a process, each read when it is first needed. */
export interface Config {
  /** A setting that must be there. */
  need(name: string): string
  /** A setting that may be missing. */
  get(name: string): string | undefined
  /** A setting that is a number above 0, such as 0.5. */
  number(name: string, otherwise: number): number
  /** The error that says that a setting's value is of no use, and what it should be. */
  unusable(name: string): UserError
  /** The address of a function, from the template FUNCTION_URL. */
  functionUrl(name: string): string
}

/** The settings that every process may have; a domain's own stand in its domain.ts. `NAME_FILE` names a file instead. */
export const settings: Readonly<Record<string, string>> = {
  FUNCTION: 'the function to serve, as its domain.ts names it',
  PORT: 'the port to listen on; 8080 if it is not set, a free one if it is 0',
  HOST: 'the address to listen on; every one if it is not set',
  LOG_LEVEL: 'trace, debug, info, warn or error; info if it is not set',
  DATABASE_URL: 'the PostgreSQL database, with the role of the domain',
  LISTEN_DATABASE_URL: 'the same past the pooler, for LISTEN; DATABASE_URL if it is not set',
  ADMIN_DATABASE_URL: 'the same with a role that may create roles and schemas, for the migration',
  POOLER_PASSWORD:
    'the password of the role pgbouncer, for the migration; if it is not set, the role is not created',
  MONGODB_URL: 'the MongoDB database, with the user of the domain',
  ADMIN_MONGODB_URL:
    'the MongoDB server with a user that may create users, for the migration; if it is not set, none is created',
  DEMO_PASSWORD:
    'the password of the demo people; if it is not set, the migration creates neither them nor a catalogue',
  NATS_URL: 'the NATS server with JetStream',
  JWT_PUBLIC_KEYS: 'the keys that verify access tokens, as a JWK set',
  PAYMENT_PROVIDER_KEY: 'the API key that the payment sandbox accepts',
  PAYMENT_SANDBOX_JOURNAL: 'the file in which the payment sandbox keeps what it has done',
  FUNCTION_URL: 'the address of any function, with {function} for its name',
  K_REVISION: 'the revision of this function, as Knative names it: sent in each answer as X-Revision',
  STORE_WAIT_SECONDS: 'how long the start waits for a store that does not answer; 20 if it is not set',
  REDELIVER_AFTER_SECONDS:
    'when an event that a reaction has not taken is published again; 30 if it is not set',
  RETRY_DELAYS_SECONDS: 'the pauses between the attempts of a reaction; 1,5,30,120,600 if it is not set',
  JETSTREAM_REPLICAS: 'how many replicas the stream has; 1 if it is not set',
}

/** What a setting is, also one that there is for each domain; undefined if there is no such setting. */
function describe(name: string): string | undefined {
  if (settings[name] !== undefined) return settings[name]
  const [, domain, store] = /^([A-Z]+)_(DATABASE|MONGODB)_URL$/.exec(name) ?? []
  if (domain === undefined) return undefined
  const of = domain.toLowerCase()
  return store === 'DATABASE'
    ? `the PostgreSQL database with the role ${of}, for the migration`
    : `the MongoDB database of the ${of}, with their user`
}

/** Whether there is such a setting. @param more settings of domains */
export const isSetting = (name: string, more: object = {}): boolean =>
  describe(name) !== undefined || name in more

/** @throws if there is no such setting, which is a mistake of ours */
export function describeSetting(name: string, more: Readonly<Record<string, string>> = {}): string {
  const found = more[name] ?? describe(name)
  if (found === undefined) throw new Error(`there is no setting ${name}`)
  return found
}

/**
 * Reads the settings from the environment of a process.
 * @param more settings of the function's domain, and what they are
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
    if (text === '') throw new UserError(`${name}_FILE: ${file} is empty. Put there ${explain(name)}.`)
    return text
  }
  const need = (name: string) => {
    const value = get(name)
    if (value === undefined)
      throw new UserError(`${name} is not set: it is ${explain(name)}. Set it, or ${name}_FILE.`)
    // the value itself may hold a password, so it is not told
    if (name.endsWith('_URL') && !isUrl(value))
      throw new UserError(
        `${name} is not a URL: it is ${explain(name)}. Set it to scheme://user:password@host:port/path, ` +
          `with %2F for a / in the password, and so on.`,
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

/** Whether it can be read as one, by every driver: also with several hosts, and with {function} in it. */
function isUrl(value: string): boolean {
  const [, authority = '', rest = ''] = /^[a-z][a-z+]*:\/\/([^/?#]+)(.*)$/.exec(value) ?? []
  const parts = authority.split('@')
  // a password that holds one of /?#@ as it is would be taken for something else
  if (authority === '' || parts.length > 2 || /[@#]/.test(rest)) return false
  try {
    decodeURIComponent(authority)
  } catch {
    return false
  }
  return authority.includes(',') || URL.canParse(value.replaceAll('{function}', 'function'))
}
