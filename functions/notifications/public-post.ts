import { lookup } from 'node:dns/promises'
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { isIP } from 'node:net'
import { isLoopback, isPublic } from './public-address.ts'

/** How much of an answer is read, in bytes. */
const maxAnswer = 64 * 1024
/** How many addresses of a name are tried. */
const maxAddresses = 3

export interface Outside {
  /** Whether addresses of this machine are allowed, also without TLS: for tests. */
  allowsLoopback: boolean
  /** How long a request may take in all, in ms. */
  timeoutMs?: number
  /** Returns the addresses of a host name. */
  resolve?: (name: string) => Promise<string[]>
  /** The authorities that sign certificates, in PEM; Node's if not set. */
  ca?: string
}

/** Thrown if nothing was answered. Its message says why, and nothing about the shop's own network. */
export class NotAnswered extends Error {}

/**
 * Returns why a request to a URL that somebody has given is refused, or undefined if it may be sent. What its name stands
 * for is checked when it is sent.
 */
export function faultOfUrl(
  text: string,
  { allowsLoopback }: Pick<Outside, 'allowsLoopback'>,
): string | undefined {
  const url = URL.parse(text)
  if (url === null) return 'a URL such as https://example.com/webhooks'
  const host = hostOf(url)
  if (allowsLoopback && (isLoopback(host) || host === 'localhost'))
    return /^https?:$/.test(url.protocol) ? undefined : 'an http or https URL'
  if (url.protocol !== 'https:') return 'an https URL'
  if (url.username !== '' || url.password !== '') return 'a URL without a user or password'
  if (url.hash !== '') return 'a URL without a fragment'
  if (!['', '8443'].includes(url.port)) return 'a URL with the port 443 or 8443'
  if (isIP(host) !== 0) return isPublic(host) ? undefined : 'a URL on the public internet'
  return /\.[a-z][a-z\d-]*\.?$/.test(host) ? undefined : 'a URL with the full name of a host'
}

/** The host of a URL; an IPv6 address without its brackets. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1')

/**
 * Sends a POST request to a URL that somebody has given, such that it cannot reach anything but the public internet: the
 * name is resolved once, all its addresses are checked, and the connection is made to an address that was checked, so
 * that a name which stands for another address a moment later makes no difference. Redirects are not followed. No more
 * than 64 KiB of the answer is read, and thrown away.
 * @returns the status of the answer
 * @throws NotAnswered if the URL is refused, or nothing was answered in time
 */
export async function postPublic(
  text: string,
  { headers, body }: { headers: Readonly<Record<string, string>>; body: string },
  outside: Outside,
): Promise<number> {
  const { timeoutMs = 10_000 } = outside
  const fault = faultOfUrl(text, outside)
  if (fault !== undefined) throw new NotAnswered(`the URL is refused: it must be ${fault}`)
  const url = new URL(text)
  const late = Promise.withResolvers<never>()
  const signal = AbortSignal.timeout(timeoutMs)
  signal.addEventListener('abort', () =>
    late.reject(new NotAnswered(`no answer within ${timeoutMs / 1000} s`)),
  )
  late.promise.catch(() => {})
  const sending = async () => {
    const addresses = await addressesOf(hostOf(url), outside)
    for (const [i, address] of addresses.entries())
      try {
        return await postTo(address, url, { headers, body }, outside, signal)
      } catch (error) {
        // nothing was sent if there was no connection
        const code = codeOf(error)
        if (i === addresses.length - 1 || !noConnection.has(code)) throw asNotAnswered(error)
      }
    throw new NotAnswered('its name has no address')
  }
  const sent = sending()
  // it may fail after it is late
  sent.catch(() => {})
  return Promise.race([sent, late.promise])
}

const noConnection = new Set(['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'ETIMEDOUT'])

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

const asNotAnswered = (error: unknown) =>
  error instanceof NotAnswered ? error : new NotAnswered(`no connection: ${codeOf(error) || 'it failed'}`)

/** Returns the addresses of a host, IPv4 first. @throws NotAnswered if one of them is not allowed */
async function addressesOf(
  host: string,
  { allowsLoopback, resolve = resolveAll }: Outside,
): Promise<string[]> {
  const found = isIP(host) === 0 ? await resolve(host).catch(noName) : [host]
  const isAllowed = (address: string) => isPublic(address) || (allowsLoopback && isLoopback(address))
  if (!found.every(isAllowed)) throw new NotAnswered('its address is not on the public internet')
  return found.toSorted((a, b) => isIP(a) - isIP(b)).slice(0, maxAddresses)
}

function noName(): never {
  throw new NotAnswered('its name cannot be resolved')
}

const resolveAll = async (name: string) => (await lookup(name, { all: true })).map(({ address }) => address)

function postTo(
  address: string,
  url: URL,
  { headers, body }: { headers: Readonly<Record<string, string>>; body: string },
  { ca }: Outside,
  signal: AbortSignal,
): Promise<number> {
  const isSecure = url.protocol === 'https:'
  const host = hostOf(url)
  return new Promise((resolve, reject) => {
    const request = (isSecure ? overHttps : overHttp)({
      // the address that was checked, which is not resolved again
      host: address,
      port: url.port || (isSecure ? 443 : 80),
      path: url.pathname + url.search,
      method: 'POST',
      headers: { ...headers, host: url.host, 'content-length': String(Buffer.byteLength(body)) },
      // no connection is shared with another name
      agent: false,
      signal,
      // the certificate must be that of the name
      ...(isSecure ? { servername: isIP(host) === 0 ? host : '' } : {}),
      ...(ca === undefined ? {} : { ca }),
    })
    request
      .on('error', reject)
      .once('response', (response) => {
        // it says enough, even if the rest does not come; that is read only so that the other side can end
        resolve(response.statusCode!)
        let bytes = 0
        response
          .on('data', (chunk: Buffer) => {
            bytes += chunk.length
            if (bytes >= maxAnswer) response.destroy()
          })
          .on('error', () => {})
      })
      .end(body)
  })
}
