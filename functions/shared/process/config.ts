import { readFileSync } from 'node:fs'

/** What is wrong with how a process was started; its message is the one line that it prints before it exits. */
export class ConfigError extends Error {}

/** The settings of a process, each read when it is first needed. */
export interface Config {
  /** A setting that must be there. */
  need(name: Setting): string
  /** A setting that may be missing. */
  get(name: Setting): string | undefined
  /** A setting that is a number above 0, such as 0.5. */
  number(name: Setting, otherwise: number): number
  /** The address of a function, from the template FUNCTION_URL. */
  functionUrl(name: string): string
}

/** Every setting, and what it is: `NAME_FILE` names a file that holds it instead. */
export const settings = {
  FUNCTION: 'the function to serve, as named in functions/functions.ts',
  PORT: 'the port to listen on; 8080 where it is not set, a free one where it is 0',
  HOST: 'the address to listen on; every one where it is not set',
  LOG_LEVEL: 'trace, debug, info, warn or error; info where it is not set',
  DATABASE_URL: 'the PostgreSQL database, with the role of the domain',
  ORDERS_DATABASE_URL:
    'the same database with the role of the orders domain, for the relay’s timer and the migration',
  USERS_DATABASE_URL: 'the same with the role of the users domain, for the migration',
  STOCK_DATABASE_URL: 'the same with the role of the stock domain, for the migration',
  PAYMENTS_DATABASE_URL: 'the same with the role of the payments domain, for the migration',
  EVENTS_DATABASE_URL: 'the same with the role of the relay and the dispatcher, for the migration',
  ADMIN_DATABASE_URL: 'the same with a role that may create roles and schemas, for the migration',
  MONGODB_URL: 'the MongoDB database, with the user of the domain',
  ADMIN_MONGODB_URL:
    'the MongoDB server with a user that may create users, for the migration; where it is not set, none is created',
  DEMO_PASSWORD:
    'the password of the demo people; where it is not set, the migration makes neither them nor a catalogue',
  NATS_URL: 'the NATS server with JetStream',
  JWT_PRIVATE_KEY: 'the Ed25519 key that signs access tokens, as a JWK',
  JWT_PUBLIC_KEYS: 'the keys that verify access tokens, as a JWK set',
  PAYMENT_PROVIDER_URL: 'the payment provider',
  PAYMENT_PROVIDER_KEY: 'our API key at the payment provider',
  PAYMENT_SANDBOX_JOURNAL: 'the file in which the payment sandbox keeps what it has done',
  FUNCTION_URL: 'the address of any function, with {function} for its name',
  K_REVISION: 'the revision of this function, as Knative names it: told in each answer as X-Revision',
  STORE_WAIT_SECONDS:
    'how long a store that does not answer is waited for at the start; 20 where it is not set',
  ORDER_DEADLINE_SECONDS: 'how long an order may wait for stock and payment; 900 where it is not set',
  REDELIVER_AFTER_SECONDS:
    'when an event that a reaction has not taken is published again; 30 where it is not set',
  RETRY_DELAYS_SECONDS: 'the pauses between the attempts of a reaction; 1,5,30,120,600 where it is not set',
  JETSTREAM_REPLICAS: 'how many replicas the stream has; 1 where it is not set',
} as const

export type Setting = keyof typeof settings

/** Reads the settings from the environment of a process. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const get = (name: Setting) => {
    const file = env[`${name}_FILE`]
    if (file === undefined) return env[name] === '' ? undefined : env[name]
    let text: string
    try {
      text = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new ConfigError(
        `${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code}). Mount the secret there.`,
      )
    }
    if (text === '') throw new ConfigError(`${name}_FILE: ${file} is empty. Put there ${settings[name]}.`)
    return text
  }
  const need = (name: Setting) => {
    const value = get(name)
    if (value === undefined)
      throw new ConfigError(`${name} is not set: it is ${settings[name]}. Set it, or ${name}_FILE.`)
    // the value itself may hold a password, so it is not told
    if (name.endsWith('_URL') && !isUrl(value))
      throw new ConfigError(
        `${name} is not a URL: it is ${settings[name]}. Set it to scheme://user:password@host:port/path, ` +
          `with %2F for a / in the password, and so on.`,
      )
    return value
  }
  const number = (name: Setting, otherwise: number) => {
    const text = get(name)
    const value = text === undefined ? otherwise : Number(text)
    if (value > 0 && value < Infinity) return value
    throw new ConfigError(`${name}=${text}: it is ${settings[name]}. Set it to a number above 0.`)
  }
  return {
    get,
    need,
    number,
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
