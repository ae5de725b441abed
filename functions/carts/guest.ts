import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { generateCookie, getCookie } from 'hono/cookie'
import { Problem } from '../shared/http/problems.ts'
import { keptMs } from './cart.ts'
import { problems } from './problems.ts'

/*
 * A guest has a cart by a token: the guest's id with a signature. A browser keeps it in a cookie that scripts cannot
 * read; any other client sends it as Cart-Token. An id alone opens no cart, so events may contain it.
 */

/** The header with the token, of requests and of answers. */
export const tokenHeader = 'Cart-Token'
/** The header of requests, for the OpenAPI document. */
export const cartToken = {
  [tokenHeader]: 'The token of a guest’s cart, from a change of it, for clients without cookies.',
} as const

/** How the answer to a guest may be cached, which is the same as for a user. */
export const privately = { 'Cache-Control': 'private, no-cache' } as const

const cookieName = 'cart'
const cookiePath = '/api/v1/carts'

/** Signs the ids of guests. */
export interface GuestTokens {
  issue(guestId: string): string
  /** Returns the guest's id, or undefined if we have not issued the token. */
  verify(token: string): string | undefined
}

/** A UUID without its dashes, and half of an HMAC with SHA-256, in hexadecimal. */
const tokenPattern = /^[\da-f]{32}\.[\da-f]{32}$/

export function guestTokens(secret: string): GuestTokens {
  const sign = (id: string) => createHmac('sha256', secret).update(id).digest('hex').slice(0, 32)
  return {
    issue: (guestId) => {
      const id = guestId.replaceAll('-', '')
      return `${id}.${sign(id)}`
    },
    verify: (token) => {
      if (!tokenPattern.test(token)) return undefined
      const [id, signature] = token.split('.') as [string, string]
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(sign(id)))) return undefined
      return id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    },
  }
}

/** How a guest is known to the shop. */
export interface Guest {
  /** Undefined if the cookie is not ours: it is replaced or deleted. */
  id: string | undefined
  hasCookie: boolean
}

/**
 * Returns the guest who sends a request, by its token or its cookie. A token is preferred, because a client that sends
 * one knows of it.
 * @throws Problem 400 if we have not issued the token, 403 if a page of another site would change the cart of a cookie
 */
export function guestOf(c: Context, tokens: GuestTokens): Guest | undefined {
  const token = c.req.header(tokenHeader)
  const cookie = getCookie(c, cookieName)
  const hasCookie = cookie !== undefined
  if (token !== undefined) {
    const id = tokens.verify(token)
    if (id === undefined) throw badToken()
    return { id, hasCookie }
  }
  if (cookie === undefined) return undefined
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && isCrossSite(c))
    throw new Problem(problems['cross-site-request'], {
      detail: `A request that changes the cart of a cookie must come from a page of the shop. Send a ${tokenHeader} instead.`,
    })
  return { id: tokens.verify(cookie), hasCookie }
}

const badToken = () =>
  new Problem('invalid-request', {
    detail: `The ${tokenHeader} is none of ours. Send none, and the next change returns a new one.`,
    errors: [{ pointer: '/header/cart-token', detail: 'not a token of this shop' }],
  })

/**
 * Whether a page of another site has sent the request (OWASP, Cross-Site Request Forgery Prevention). Browsers say so;
 * what says nothing is no browser, or one that is so old that only SameSite protects it.
 */
function isCrossSite(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = c.req.header('origin')
  return origin !== undefined && URL.parse(origin)?.host !== hostOf(c)
}

/** The host that the client has called. A gateway may have replaced the Host. */
const hostOf = (c: Context) => c.req.header('x-forwarded-host') ?? c.req.header('host')

/**
 * Returns the headers with which a guest gets or keeps a cart: a cookie, unless the page is of another site, and the
 * token for whatever is not a page of the shop, whose scripts should not read it.
 */
export function headersForGuest(c: Context, tokens: GuestTokens, guestId: string): Record<string, string> {
  const token = tokens.issue(guestId)
  const site = c.req.header('sec-fetch-site')
  const isOwnPage = site === 'same-origin' || site === 'none'
  return {
    ...(isOwnPage || !isCrossSite(c) ? { 'Set-Cookie': cookie(c, token, keptMs / 1000) } : {}),
    ...(isOwnPage ? {} : { [tokenHeader]: token }),
  }
}

/** Returns the header that deletes the cookie. */
export const withoutCookie = (c: Context): Record<string, string> => ({ 'Set-Cookie': cookie(c, '', 0) })

const cookie = (c: Context, value: string, maxAge: number) =>
  generateCookie(cookieName, value, {
    path: cookiePath,
    maxAge,
    httpOnly: true,
    sameSite: 'Lax',
    // only npm start serves without TLS, and some browsers keep no such cookie from there
    secure: !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/.test(hostOf(c) ?? ''),
  })
