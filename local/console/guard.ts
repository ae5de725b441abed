import type { IncomingMessage } from 'node:http'
import { isLocal, nameOf } from '../hosts.ts'

/** What a request does: it opens the page or a part of it, reads what happens in the shop, or changes something. */
export type Access = 'open' | 'read' | 'change'

/**
 * Returns why a request to the console is refused; undefined if it is not. No other machine and no other site's page may
 * use the console, whatever ALLOWED_HOSTS and CORS_ORIGINS say.
 */
export function whyRefused(
  { headers, headersDistinct }: IncomingMessage,
  access: Access,
): 'other machine' | 'other page' | undefined {
  const { host = [] } = headersDistinct
  const name = host.length === 1 ? nameOf(host[0]!) : undefined
  if (name === undefined || !isLocal(name)) return 'other machine'
  // a proxy or a tunnel on this machine, whose client may be anywhere
  if (forwarding.some((header) => headers[header] !== undefined)) return 'other machine'
  if (access === 'open') return undefined
  const { origin, 'sec-fetch-site': site } = headers
  const isOwn = origin === `http://${host[0]}`
  // browsers send it with whatever changes something
  if (!isOwn && (origin !== undefined || access === 'change')) return 'other page'
  return site === undefined || site === 'same-origin' ? undefined : 'other page'
}

const forwarding = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']
