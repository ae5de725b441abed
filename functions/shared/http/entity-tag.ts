import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from './problems.ts'

/** Entity tags and the conditions on them (RFC 9110, 8.8.3 and 13.1). */

/**
 * Returns the entity tag of a version.
 * @param projected the version of what the resource shows of another domain, if it has changed since the resource was
 *   created. It makes another answer, but no update is refused because of it.
 */
export const etag = (version: number, projected = 0) =>
  projected === 0 ? `"${version}"` : `"${version}.${projected}"`

/** The versions that a client's `If-Match` accepts; `*` accepts any. */
export type AcceptedVersions = '*' | readonly number[]

/**
 * Returns the versions that the client's `If-Match` accepts. Weak and unknown tags accept none, because the
 * header is compared strongly (RFC 9110, 13.1.1).
 * @throws Problem 428 if the header is missing
 */
export function ifMatch(c: Context): AcceptedVersions {
  const header = c.req.header('if-match')
  if (header === undefined)
    throw new Problem('if-match-missing', { detail: 'Read the resource and send its ETag as If-Match.' })
  const tags = tagsOf(header)
  if (tags === '*') return '*'
  return tags.flatMap(({ weak, tag }) =>
    !weak && /^"\d{1,15}(?:\.\d{1,15})?"$/.test(tag) ? [Number.parseInt(tag.slice(1), 10)] : [],
  )
}

/** @throws Problem 412 if the client does not accept the current version */
export function checkVersion(accepted: AcceptedVersions, current: number) {
  if (accepted !== '*' && !accepted.includes(current)) throw staleVersion()
}

export const staleVersion = () =>
  new Problem('stale-version', {
    detail: 'Read the resource again and apply your change to what is there.',
  })

/** The headers that a 304 repeats from the full response (RFC 9110, 15.4.5). Servers add `Date`. */
const kept = ['cache-control', 'content-location', 'etag', 'expires', 'vary']

/**
 * Returns a 304 if the client's `If-None-Match` names the response's ETag, which is compared weakly (RFC 9110,
 * 13.1.2). hono/etag does not know tags that a gateway has marked.
 */
export const notModified: MiddlewareHandler = async (c, next) => {
  await next()
  const header = c.req.header('if-none-match')
  if (header === undefined || !c.res.ok) return
  const current = c.res.headers.get('etag')
  if (current === null || !namesTag(header, current)) return
  const headers = kept.flatMap((name): [string, string][] => {
    const value = c.res.headers.get(name)
    return value === null ? [] : [[name, value]]
  })
  // otherwise Hono would add the headers of the full response
  c.res = undefined
  c.res = new Response(null, { status: 304, headers })
}

/** Whether an `If-None-Match` names a tag. */
export function namesTag(header: string, current: string): boolean {
  const tags = tagsOf(header)
  return tags === '*' || tags.some(({ tag }) => tag === current)
}

interface EntityTag {
  weak: boolean
  /** With its quotes, and without the mark of a gateway. */
  tag: string
}

/** Reads the list of tags in a header. Whatever is not an entity tag is skipped. */
function tagsOf(header: string): '*' | EntityTag[] {
  if (header.trim() === '*') return '*'
  return [
    ...header.matchAll(/(?<=^|,)[ \t]*(W\/)?("[\u0021\u0023-\u007e\u0080-\u00ff]*")[ \t]*(?=,|$)/g),
  ].map(([, weak, tag]) => ({ weak: weak !== undefined, tag: unmarked(tag!) }))
}

/**
 * Returns a tag without the mark of a gateway that has compressed the response: Caddy turns `"3"` into
 * `"3-gzip"`, and others use another separator.
 */
const unmarked = (tag: string) => tag.replace(/[-/;:+.](?:gzip|x-gzip|zstd|br|deflate)"$/, '"')
