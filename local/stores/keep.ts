import { setTimeout as pause } from 'node:timers/promises'
import { createRestarts } from '../restarts.ts'
import type { Store, StoreName } from './store.ts'

/** A store that is restarted at the same URL whenever it ends. */
export interface KeptStore extends Pick<Store, 'name' | 'url' | 'origin' | 'pid'> {
  /** Whether this process runs it, and can restart it. */
  readonly isOurs: boolean
  /** When it ended, and why it is not running; undefined while it runs. */
  readonly down: { since: Date; reason: string } | undefined
  /** When it was last started. */
  readonly upSince: Date
  /** Restarts a store that runs but does not work. */
  restart(reason: string): void
  /** Stops it for good. */
  stop(): Promise<void>
}

/**
 * Restarts a store whenever it ends. After repeated failures, it pauses before each restart, for up to 30 s.
 * @param again starts the store on a port
 * @param log called with a line when the store ends and when it runs again
 */
export function keepStore(
  first: Store,
  again: (port: number) => Promise<Store>,
  log: (name: StoreName, line: string) => void,
): KeptStore {
  const { name, url, origin } = first
  const isOurs = first.pid !== undefined
  const restarts = createRestarts()
  const stopping = new AbortController()
  const stopped = new Promise<undefined>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  let current = first
  let upSince = new Date()
  let down: KeptStore['down']
  let restarting = Promise.withResolvers<string>()
  const keeping = isOurs ? keep() : undefined

  return {
    name,
    url,
    origin,
    isOurs,
    get pid() {
      return down === undefined ? current.pid : undefined
    },
    get down() {
      return down
    },
    get upSince() {
      return upSince
    },
    restart: (reason) => restarting.resolve(reason),
    async stop() {
      stopping.abort()
      await keeping
      await current.stop()
    },
  }

  async function keep(): Promise<void> {
    let startedAt = performance.now()
    for (;;) {
      const reason = await Promise.race([current.died, restarting.promise, stopped])
      if (reason === undefined) return
      const since = new Date()
      down = { since, reason }
      await current.stop()
      while (down !== undefined) {
        const { pauseMs, when } = restarts.after(startedAt)
        log(name, `${down.reason}; restarting it ${when}`)
        await Promise.race([pause(pauseMs), stopped])
        if (stopping.signal.aborted) return
        try {
          current = await again(Number(new URL(url).port))
          startedAt = performance.now()
          down = undefined
        } catch (error) {
          startedAt = performance.now()
          down = { since, reason: reasonOf(error) }
        }
      }
      upSince = new Date()
      restarting = Promise.withResolvers()
      log(name, `runs again after ${((upSince.getTime() - since.getTime()) / 1000).toFixed(1)} s`)
    }
  }
}

/** Returns the message of an error, without the advice to start again. */
const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replace(/ and start again\.$|\.$/, '')
