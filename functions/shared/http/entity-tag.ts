import type { Context } from 'hono'
import { Problem } from './problems.ts'

/** Returns the entity tag of a version (RFC 9110, 8.8.3). */
export const etag = (version: number) => `"${version}"`

/**
 * Returns the version in the client's `If-Match`: `*` matches any version, and NaN, for a malformed header,
 * matches none.
 * @throws Problem 428 if the header is missing
 */
export function ifMatch(c: Context): number | '*' {
  const header = c.req.header('if-match')
  if (header === undefined)
    throw new Problem('if-match-missing', { detail: 'Read the resource and send its ETag as If-Match.' })
  if (header.trim() === '*') return '*'
  return Number(/^"(\d{1,15})"$/.exec(header.trim())?.[1] ?? Number.NaN)
}

/** @throws Problem 412 if the client's version is not the current one */
export function checkVersion(wanted: number | '*', current: number) {
  if (wanted !== '*' && wanted !== current) throw staleVersion()
}

export const staleVersion = () =>
  new Problem('stale-version', {
    detail: 'Read the resource again and apply your change to what is there.',
  })
