import { outboxChannel, type Db } from './postgres.ts'

/** Reports when something in the database may have changed. */
export interface Changes {
  /** Resolves at the next notification of a change, or after `ms`. */
  next(ms: number): Promise<void>
}

/** The shortest time between two reports, in ms. Notifications in between are combined into one report. */
const atMostEvery = 50

const known = new WeakMap<Db['client'], Changes>()

/** Returns the changes of a database. The whole process shares one LISTEN. */
export function changesOf(db: Db): Changes {
  const found = known.get(db.client)
  if (found !== undefined) return found
  let waiting = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  const tell = () => {
    timer ??= setTimeout(() => {
      timer = undefined
      const told = waiting
      waiting = new Set()
      for (const resolve of told) resolve()
    }, atMostEvery)
  }
  // if LISTEN fails, callers of `next` still continue after `ms`
  db.listener.listen(outboxChannel, tell).catch(() => {})
  const changes: Changes = {
    next: (ms) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(limit)
          waiting.delete(done)
          resolve()
        }
        const limit = setTimeout(done, ms)
        waiting.add(done)
      }),
  }
  known.set(db.client, changes)
  return changes
}
