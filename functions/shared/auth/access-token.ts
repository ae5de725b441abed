import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { Caller, Role } from '../domain.ts'
import { Problem } from '../http/problems.ts'

/** The caller, as the access token describes them. */
export interface User {
  id: string
  role: Role
  /** The session (refresh token family) that the token belongs to. */
  session: string
  /** When the token expires, in ms since 1970. */
  expires?: number
}

export const issuer = 'https://zeroshop.dev'
export const audience = 'zeroshop'

/**
 * Returns the user of an `Authorization` header; undefined if there is no header. Throws a Problem 401 if the
 * token is not valid.
 */
export type Authenticate = (header: string | undefined) => Promise<User | undefined>

/** How many verified tokens are cached. Verifying a signature costs more than most operations do. */
const remembered = 2_000

/**
 * Returns a function that verifies access tokens locally (EdDSA, RFC 8037) with the public keys.
 * @param now returns the current time, in ms since 1970
 */
export function authenticator(jwks: JSONWebKeySet, now: () => number = Date.now): Authenticate {
  const keys = createLocalJWKSet(jwks)
  const verified = new Map<string, { user: User; until: number }>()
  return async (header) => {
    if (header === undefined) return undefined
    const token = /^Bearer +([\w.-]+)$/i.exec(header)?.[1]
    if (token === undefined) throw notLoggedIn('Send the access token as: Authorization: Bearer <token>.')
    const known = verified.get(token)
    if (known !== undefined && known.until > now()) return known.user
    verified.delete(token)
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['EdDSA'],
        requiredClaims: ['sub', 'exp', 'role', 'sid'],
        currentDate: new Date(now()),
      })
      const expires = payload.exp! * 1000
      const user = {
        id: payload.sub!.toLowerCase(),
        role: payload['role'] as Role,
        session: payload['sid'] as string,
        expires,
      }
      if (verified.size >= remembered) verified.delete(verified.keys().next().value!)
      verified.set(token, { user, until: expires })
      return user
    } catch {
      throw notLoggedIn('The access token is not valid or has expired: refresh the session or log in again.')
    }
  }
}

/**
 * Checks that the user may call an operation.
 * @param by who may call it, according to its domain's `domain.ts`
 * @throws Problem 401 if nobody is logged in, 403 if the user has another role
 */
export function authorize(by: Caller, user: User | undefined): void {
  if (by === 'anyone') return
  if (user === undefined) throw notLoggedIn('Send the access token as: Authorization: Bearer <token>.')
  if (by !== 'user' && !by.includes(user.role))
    throw new Problem('wrong-role', { detail: `This needs the role ${by.join(' or ')}.` })
}

function notLoggedIn(detail: string) {
  return new Problem('not-logged-in', { detail })
}

/** Whether the user may see and change what belongs to others. */
export const isStaff = (user: User) => user.role === 'staff' || user.role === 'admin'
