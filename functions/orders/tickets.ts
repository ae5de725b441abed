import { jwtVerify, SignJWT } from 'jose'
import { issuer, type User } from '../shared/auth/access-token.ts'
import type { Role } from '../shared/domain.ts'
import { Problem } from '../shared/http/problems.ts'

/**
 * Tickets for the event stream of one order. A browser's EventSource cannot send an access token, and a token
 * does not belong into a URL, which ends up in histories and logs. A ticket opens one stream for a minute. The stream
 * ends when the access token would have ended it.
 */

/** How long a ticket is valid, in seconds. */
export const ticketSeconds = 60

/** A token for anything else has another audience, and this one is good for nothing else. */
const audience = 'zeroshop:order-events'

export interface Tickets {
  issue(user: User, orderId: string): Promise<string>
  /** Returns the user to whom a ticket was issued. @throws Problem 401 if it is not valid for this order */
  verify(ticket: string, orderId: string): Promise<User>
}

/**
 * @param secret signs the tickets (HMAC with SHA-256)
 * @param now returns the current time, in ms since 1970
 */
export function createTickets(secret: string, now: () => number = Date.now): Tickets {
  const key = new TextEncoder().encode(secret)
  return {
    issue: ({ id, role, session, expires }, orderId) => {
      const seconds = Math.floor(now() / 1000)
      return new SignJWT({ role, sid: session, order: orderId, ...(expires && { until: expires }) })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(id)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + ticketSeconds)
        .sign(key)
    },
    verify: async (ticket, orderId) => {
      try {
        const { payload } = await jwtVerify(ticket, key, {
          issuer,
          audience,
          algorithms: ['HS256'],
          requiredClaims: ['sub', 'exp', 'role', 'sid', 'order'],
          currentDate: new Date(now()),
        })
        // signed by us
        if (payload['order'] === orderId)
          return {
            id: payload.sub!,
            role: payload['role'] as Role,
            session: payload['sid'] as string,
            ...(typeof payload['until'] === 'number' && { expires: payload['until'] }),
          }
      } catch {
        // reported below
      }
      throw new Problem('not-logged-in', {
        detail: 'The ticket is not valid for this order, or has expired: get a new one.',
      })
    },
  }
}
