import type { Collection, Db } from 'mongodb'
import type { ShopEvent } from '../../../events/event.ts'
import type { Reaction } from '../../../events/reaction.ts'
import { endedIn, keptEndedMs, type IsSessionEnded } from '../auth/ended-sessions.ts'

interface EndedSession {
  _id: string
  at: Date
}

/** Returns a domain's projection of ended sessions in MongoDB, and a check against it. */
export function openEndedSessions(db: Db): {
  endedSessions: Collection<EndedSession>
  isSessionEnded: IsSessionEnded
} {
  const endedSessions = db.collection<EndedSession>('ended_sessions')
  const isSessionEnded = endedIn(async () => {
    const found = await endedSessions.find({ at: { $gt: oldest() } }).toArray()
    return found.map(({ _id }) => _id)
  })
  return { endedSessions, isSessionEnded }
}

/** Implements the reaction that keeps a domain's projection in MongoDB. It may run any number of times. */
export const keepEndedSessions = <const N extends string>(name: N): Reaction<N> => ({
  name,
  handle: async (
    { data }: ShopEvent<'session.ended'>,
    { endedSessions }: { endedSessions: Collection<EndedSession> },
  ) => {
    await endedSessions.deleteMany({ at: { $lt: oldest() } })
    const at = new Date()
    await endedSessions.bulkWrite(
      data.sessionIds.map((_id) => ({
        updateOne: { filter: { _id }, update: { $setOnInsert: { at } }, upsert: true },
      })),
    )
  },
})

const oldest = () => new Date(Date.now() - keptEndedMs)
