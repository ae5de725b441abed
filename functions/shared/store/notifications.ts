import { outboxChannel, type Db } from './postgres.ts'

/** Tells when something in the database may have changed. */
export interface Changes {
  /** Resolves at the next sign of a change, or after `ms`. */
  next(ms: number): Promise<void>
}

/** Signs of change are handed on at most this often, in ms. */
const atMostEvery = 50

const known = new WeakMap<Db['client'], Changes>()

/** The signs of change of a database: one LISTEN for the whole process. */
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
  // without LISTEN, callers look again after a while
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
