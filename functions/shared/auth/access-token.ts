import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { Caller, Role } from '../domain.ts'
import { Problem } from '../http/problems.ts'

/** Who calls, from the access token. */
export interface User {
  id: string
  role: Role
  /** The session (refresh token family) that the token belongs to. */
  session: string
}

export const issuer = 'https://zeroshop.dev'
export const audience = 'zeroshop'

/** Reads the user from an `Authorization` header; throws a 401 where the token is not good. */
export type Authenticate = (header: string | undefined) => Promise<User | undefined>

/** As many tokens are remembered once verified: a signature costs more than most operations. */
const remembered = 2_000

/**
 * Verifies access tokens locally (EdDSA, RFC 8037) against the public keys.
 * @param now the clock, in milliseconds
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
      const user = { id: payload.sub!, role: payload['role'] as Role, session: payload['sid'] as string }
      if (verified.size >= remembered) verified.delete(verified.keys().next().value!)
      verified.set(token, { user, until: payload.exp! * 1000 })
      return user
    } catch {
      throw notLoggedIn('The access token is not valid or has expired: refresh the session or log in again.')
    }
  }
}

/** Refuses (401, 403) a caller that the table does not let in. */
export function authorize(by: Caller, user: User | undefined): void {
  if (by === 'anyone') return
  if (user === undefined) throw notLoggedIn('Send the access token as: Authorization: Bearer <token>.')
  if (by !== 'user' && !by.includes(user.role))
    throw new Problem('wrong-role', { detail: `This needs the role ${by.join(' or ')}.` })
}

function notLoggedIn(detail: string) {
  return new Problem('not-logged-in', { detail })
}

/** Whether the user may see and change what others own. */
export const isStaff = (user: User) => user.role === 'staff' || user.role === 'admin'
