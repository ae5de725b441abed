import type { Degraded } from '../../functions/shared/process/service.ts'
import { freeBytes } from './explain.ts'
import type { KeptStore } from './keep.ts'
import type { StoreName } from './store.ts'

/** With less free space than this, a restart would not help, in bytes. */
const enoughRoom = 16 * 1024 * 1024
const defaultPatience = {
  /**
   * If a store has not worked for this long, it is restarted, in ms. The relay may repair it earlier. If that does not
   * help, it has twice as long the next time, because it may have much to recover.
   */
  stuckAfterMs: 30_000,
  /** How old the relay's findings may be, in ms. It pauses for up to 5 s between attempts. */
  staleMs: 10_000,
}

export interface StoresWatch {
  /** Returns what does not work at the moment, for `GET /_scale`. */
  degraded: () => Degraded[]
  stop: () => void
}

/**
 * Watches the stores. Logs which do not work and when they work again, and restarts a store that runs but does not work,
 * for example because its disk was full, as soon as there is free space. A store that another process runs is not
 * restarted.
 * @param options `ask` returns the stores that the relay finds degraded, or undefined if it does not respond
 */
export function watchStores(options: {
  stores: readonly KeptStore[]
  ask: () => Promise<Degraded[] | undefined>
  dataDir: string
  log: (name: StoreName, line: string) => void
  pollMs?: number
  patience?: typeof defaultPatience
}): StoresWatch {
  const { stores, ask, dataDir, log, pollMs = 2_000, patience = defaultPatience } = options
  const known = new Map<StoreName, Degraded>()
  /** How often a store has been restarted since it last worked. */
  const restarted = new Map<StoreName, number>()
  const stopping = new AbortController()
  let timer = setTimeout(() => void look(), pollMs)

  return {
    degraded: () => {
      const down = stores.flatMap(({ name, down }) =>
        down === undefined ? [] : [{ store: name, since: down.since.toISOString(), reason: down.reason }],
      )
      return [...down, ...[...known.values()].filter(({ store }) => !down.some((one) => one.store === store))]
    },
    stop: () => {
      stopping.abort()
      clearTimeout(timer)
    },
  }

  async function look() {
    const found = await ask()
    if (stopping.signal.aborted) return
    if (found !== undefined)
      for (const store of stores) {
        const { name } = store
        judge(
          store,
          found.find((finding) => finding.store === name),
        )
      }
    timer = setTimeout(() => void look(), pollMs)
  }

  function judge(store: KeptStore, finding: Degraded | undefined) {
    const { name, down, upSince, isOurs } = store
    const now = Date.now()
    // its restart is reported instead
    if (down !== undefined) {
      known.delete(name)
      return
    }
    const before = known.get(name)
    if (finding === undefined) {
      if (before !== undefined) log(name, `works again after ${seconds(now - Date.parse(before.since))} s`)
      known.delete(name)
      restarted.delete(name)
      return
    }
    // the relay may have found this before the restart
    if (now - upSince.getTime() < patience.staleMs) return
    if (before === undefined) log(name, `does not work: ${finding.reason}`)
    known.set(name, before === undefined ? finding : { ...finding, since: before.since })
    const stuckMs = now - Math.max(upSince.getTime(), Date.parse(finding.since))
    const restarts = restarted.get(name) ?? 0
    if (!isOurs || stuckMs < patience.stuckAfterMs * 2 ** restarts || freeBytes(dataDir) < enoughRoom) return
    restarted.set(name, restarts + 1)
    store.restart(`has not worked for ${seconds(stuckMs)} s (${finding.reason})`)
  }
}

const seconds = (ms: number) => (ms / 1000).toFixed(0)
