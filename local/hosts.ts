import { sendProblem } from './activator/problem.ts'
import type { Handler } from './front.ts'

/**
 * Refuses requests for hosts other than this machine, unless they are allowed. This protects the shop, whose demo
 * passwords are known, from pages of other sites whose names resolve to this machine (DNS rebinding).
 */
export const onlyFor =
  (allowed: readonly string[], handle: Handler): Handler =>
  (request, response) => {
    const { url = '', headers } = request
    // a host in the target takes precedence (RFC 9112, 3.2.2)
    const host = url.startsWith('/') ? headers.host : (URL.parse(url)?.host ?? headers.host)
    const name = host === undefined ? undefined : nameOf(host)
    // no browser sends a host that cannot be parsed
    if (name === undefined || isLocal(name) || allowed.includes(name)) handle(request, response)
    else sendProblem(response, 'misdirected-request')
  }

/** Returns the name in `name:port` as browsers write it; undefined if it cannot be parsed. */
export const nameOf = (host: string): string | undefined =>
  URL.parse(`http://${host}`)?.hostname.replace(/\.$/, '')

/** Whether a name, as `nameOf` returns it, is that of this machine. */
export const isLocal = (name: string) =>
  /^(?:.*\.)?localhost$/.test(name) || /^127\.\d+\.\d+\.\d+$/.test(name) || name === '[::1]'
