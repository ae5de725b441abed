import type { ConnectionOptions } from 'node:tls'
import { UserError } from '../process/user-error.ts'
import { readAuthorities } from './authorities.ts'

/** PostgreSQL's names for how a connection is protected. Those that may fall back to clear text are missing. */
const modes = ['disable', 'require', 'verify-ca', 'verify-full'] as const

/**
 * Splits what libpq's parameters `sslmode` and `sslrootcert` say about TLS from a URL, because postgres.js knows
 * only some of it. As in libpq, `require` verifies the certificate only if there is an sslrootcert, and only
 * `verify-full` verifies the name.
 * @param setting the setting that contains the URL, for the error message
 * @returns the URL without these parameters, and the options of TLS; undefined if it is not to be used
 * @throws UserError if the parameters cannot be used
 */
export function splitTls(url: string, setting: string): { url: string; tls: ConnectionOptions | undefined } {
  const [base = '', query = ''] = url.split('?')
  const parameters = new URLSearchParams(query)
  const { sslmode: mode = 'disable', sslrootcert: root, ...others } = take(parameters)
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new UserError(`${setting}: ${other} is not supported. Use sslmode and sslrootcert.`)
  const rest = parameters.size === 0 ? base : `${base}?${parameters.toString()}`
  if (mode === 'disable') {
    if (root === undefined) return { url: rest, tls: undefined }
    throw new UserError(`${setting}: sslrootcert has no effect without TLS. Add sslmode=verify-full.`)
  }
  if (!(modes as readonly string[]).includes(mode))
    throw new UserError(
      `${setting}: sslmode=${mode} is not supported. Set it to ${modes.slice(0, -1).join(', ')} or ${modes.at(-1)}.` +
        (mode === 'allow' || mode === 'prefer' ? ' It could fall back to an unencrypted connection.' : ''),
    )
  const named =
    root === undefined || root === 'system'
      ? {}
      : { ca: readAuthorities(root, { setting, parameter: 'sslrootcert' }) }
  if (mode === 'verify-full') return { url: rest, tls: named }
  if (root === 'system')
    throw new UserError(
      `${setting}: sslrootcert=system needs sslmode=verify-full, because anyone can get a certificate of a public authority.`,
    )
  if (mode === 'require' && root === undefined) return { url: rest, tls: { rejectUnauthorized: false } }
  return { url: rest, tls: { ...named, checkServerIdentity: () => undefined } }
}

/** Removes the parameters whose names begin with `ssl`, and returns them. */
function take(parameters: URLSearchParams): Record<string, string> {
  const taken = [...parameters].filter(([name]) => name.startsWith('ssl'))
  for (const [name] of taken) parameters.delete(name)
  return Object.fromEntries(taken)
}
