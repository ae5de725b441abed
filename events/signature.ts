import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Config } from '../functions/shared/process/config.ts'

/**
 * The signatures of deliveries, of the payment provider's webhooks and of those to sellers, as Standard Webhooks
 * (https://www.standardwebhooks.com) specifies them: an HMAC-SHA256 of the id, the time and the body. Each domain has a
 * key, which only the dispatcher and the domain's functions know. The package `standardwebhooks` has its own SHA-256 in JavaScript, which takes 3 ms to load and 5 ms
 * to check the first event of a function that starts; Node's is there already. The tests compare the two.
 */

/** How long a signature is valid, in seconds, by the clock of whoever checks it. */
const toleranceSeconds = 5 * 60

const prefix = 'whsec_'

/** From 24 to 64 bytes in base64, as the specification requires. */
const keyPattern = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/

/** Returns a new key. */
export const newKey = () => prefix + randomBytes(32).toString('base64')

/**
 * Reads a setting that contains the keys of a domain, separated by spaces. Deliveries are signed with the first,
 * and accepted with any of them, so that keys can be replaced while the shop is running.
 * @throws UserError if the setting is missing, or is not one key or several
 */
export function readKeys(config: Config, setting: string): string[] {
  const keys = config.need(setting).split(' ')
  if (keys.every((key) => keyPattern.test(key))) return keys
  throw config.unusable(setting)
}

/** The headers of a signed delivery. */
export type Signature = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>

/** Returns a function that signs a delivery with the first of the keys. */
export const createSigner = ([first]: readonly string[]): Sign => signing([first!])

type Sign = (id: string, body: Uint8Array | string) => Signature

/** Returns a function that signs a delivery with each of the keys, because its receiver may have any of them. */
export function signing(keys: readonly string[]): Sign {
  const hmacs = keys.map(createHmacOf)
  return (id, body) => {
    const timestamp = String(Math.floor(Date.now() / 1000))
    return {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': hmacs
        .map((hmac) => `v1,${hmac(id, timestamp, body).toString('base64')}`)
        .join(' '),
    }
  }
}

/** The headers of a request, with names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Returns why a delivery is refused, or undefined if it is signed with one of the keys. */
export type Verifier = (headers: Headers, body: Uint8Array | string) => string | undefined

export function createVerifier(keys: readonly string[]): Verifier {
  const hmacs = keys.map(createHmacOf)
  return (headers, body) => {
    // Node joins a header that is sent twice, and the result is no valid signature
    const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
      headers[`webhook-${name}`]?.toString(),
    )
    if (!id || !timestamp || !signatures)
      return 'It needs the headers webhook-id, webhook-timestamp and webhook-signature'
    if (!/^\d{1,12}$/.test(timestamp)) return 'Its webhook-timestamp is not a number of seconds'
    const fault = faultOfTime(Number(timestamp))
    if (fault !== undefined) return fault
    const given = signatures.split(' ').map(signatureOf)
    const isSigned = hmacs.some((hmac) => {
      const expected = hmac(id, timestamp, body)
      return given.some((each) => each?.length === expected.length && timingSafeEqual(each, expected))
    })
    return isSigned ? undefined : 'It is not signed with a key of this domain'
  }
}

/** Returns why a signature of this time, in seconds since 1970, is refused, or undefined if it is accepted. */
export function faultOfTime(seconds: number): string | undefined {
  const age = Date.now() / 1000 - seconds
  if (age > toleranceSeconds) return 'It was signed too long ago'
  return age < -toleranceSeconds ? 'It was signed in the future' : undefined
}

function createHmacOf(key: string) {
  // made once, because it costs more than the HMAC of a delivery
  const secret = createSecretKey(key.slice(prefix.length), 'base64')
  return (id: string, timestamp: string, body: Uint8Array | string) =>
    createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest()
}

/** Returns the bytes of a signature, or undefined if it is of another version than 1, which is the symmetric one. */
function signatureOf(text: string): Buffer | undefined {
  const [version, value] = text.split(',')
  return version === 'v1' && value !== undefined ? Buffer.from(value, 'base64') : undefined
}
