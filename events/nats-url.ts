import { isIP } from 'node:net'
import type { ConnectionOptions } from 'nats'
import { UserError } from '../functions/shared/process/user-error.ts'
import { readAuthorities } from '../functions/shared/store/authorities.ts'

/**
 * Converts URLs to options of the NATS client, which expects user and password apart from the addresses. With the
 * scheme `tls`, the client never falls back to clear text, and verifies the certificate and its name.
 * @param url one URL, or several separated by commas, such as `nats://user:password@host:4222` or
 *   `tls://user:password@host:4222?tlsCAFile=/path`
 * @returns the servers, the user and password of the first URL if it has them, and what is to be verified
 * @throws UserError if the parameters cannot be used
 */
export function natsOptions(
  url: string,
): Pick<ConnectionOptions, 'user' | 'pass' | 'tls'> & { servers: string[] } {
  const names = url.split(',')
  const urls = names.filter((one) => URL.canParse(one)).map((one) => new URL(one))
  const [first] = urls
  return {
    servers: names.map((one) => (URL.canParse(one) ? new URL(one).host : one)),
    ...(first !== undefined && first.username !== ''
      ? { user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) }
      : {}),
    ...tlsOptions(urls),
  }
}

function tlsOptions(urls: URL[]): Pick<ConnectionOptions, 'tls'> {
  const parameters = new Map(urls.flatMap(({ searchParams }) => [...searchParams]))
  const caFile = parameters.get('tlsCAFile')
  parameters.delete('tlsCAFile')
  const [unknown] = parameters.keys()
  if (unknown !== undefined)
    throw new UserError(`NATS_URL: the parameter ${unknown} is not supported; tlsCAFile is.`)
  if (!urls.some(({ protocol }) => protocol === 'tls:')) {
    if (caFile === undefined) return {}
    throw new UserError('NATS_URL: tlsCAFile has no effect without TLS. Use tls:// instead of nats://.')
  }
  // the client names no server to verify if it is given by its address; Node would then expect “localhost”
  const address = urls.map(({ hostname }) => hostname.replace(/^\[|\]$/g, '')).find((host) => isIP(host) > 0)
  const ca =
    caFile === undefined
      ? {}
      : { ca: readAuthorities(caFile, { setting: 'NATS_URL', parameter: 'tlsCAFile' }) }
  const host: object = address === undefined ? {} : { host: address }
  return { tls: { ...host, ...ca } }
}
