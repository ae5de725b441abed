import { keptEndedMs, type IsSessionEnded } from '../shared/auth/ended-sessions.ts'
import type { Cache } from '../shared/store/cache.ts'

/*
 * Whether a session has ended is read for each request, so it is cached. Nothing has to be removed from the cache when a
 * session ends: that it goes on is kept for less time than the shop takes to refuse a session everywhere. A session that
 * has ended never goes on again. Neither says anything about a person.
 *
 * Nothing else is cached. An account is changed by its owner, who must see the change at once, and contains personal
 * data, which would have to be forgotten there, too. A refresh locks the session and its token in the store, where it
 * then reads the account as well.
 */

/** How long the cache may say that a session goes on, in seconds. */
export const liveSeconds = 2

const endedSeconds = keptEndedMs / 1000

const [live, ended] = ['live', 'ended']

/** Returns a check that asks the cache before the store. */
export const cachedEnded =
  (isSessionEnded: IsSessionEnded, cache: Cache): IsSessionEnded =>
  async (session) => {
    const key = `zeroshop:session:${session}`
    const known = await cache.get(key)
    if (known !== undefined) return known === ended
    const hasEnded = await isSessionEnded(session)
    // nobody waits for it
    void cache.set(key, hasEnded ? ended : live, hasEnded ? endedSeconds : liveSeconds)
    return hasEnded
  }
