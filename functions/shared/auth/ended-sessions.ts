import { Problem } from '../http/problems.ts'
import type { SecurityDetails } from '../http/security-log.ts'
import type { User } from './access-token.ts'

/*
 * An access token is verified without reading its session, so it would outlive the session and the role in it by up to
 * 15 minutes. The users domain therefore emits `session.ended` when a user logs out, gets another role or password, or
 * is deleted. Each domain keeps a projection of the sessions that have ended lately, and its operations that are
 * `fresh` refuse their tokens.
 */

/** Returns whether a session has ended. A dependency of the functions of each domain that has `fresh` operations. */
export type IsSessionEnded = (session: string) => Promise<boolean>

/** How long ended sessions are kept, in ms: longer than an access token is valid. */
export const keptEndedMs = 20 * 60 * 1000

/** How old the list may be, in ms. So a busy function reads it once a second, and not for each request. */
const mostAgeMs = 1_000

/**
 * Returns a check against a list of sessions, which is read again when it is more than a second old.
 * @param read returns the ids of the sessions that ended within `keptEndedMs`
 * @param now returns the time, in ms
 */
export function endedIn(read: () => Promise<string[]>, now = () => performance.now()): IsSessionEnded {
  let list: Promise<Set<string>> | undefined
  let readAt = 0
  return async (session) => {
    if (list === undefined || now() - readAt > mostAgeMs) {
      readAt = now()
      const reading = read().then((ids) => new Set(ids))
      reading.catch(() => {
        // the next request tries again
        if (list === reading) list = undefined
      })
      list = reading
    }
    return (await list).has(session)
  }
}

/** @throws Problem 401 if the caller's session has ended */
export async function refuseIfEnded(isSessionEnded: IsSessionEnded, { session }: User): Promise<void> {
  if (await isSessionEnded(session)) throw sessionEnded({ session })
}

export const sessionEnded = (security: SecurityDetails = {}) =>
  new Problem('session-ended', { detail: 'Log in again.', security })
