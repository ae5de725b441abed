import type { Config } from '../process/config.ts'

/** A cache that all processes share. It never fails: without an answer, the store is asked, which has the truth. */
export interface Cache {
  get: (key: string) => Promise<string | undefined>
  /** Keeps a value for so many seconds, or not at all. */
  set: (key: string, value: string, seconds: number) => Promise<void>
}

const nothing: Cache = { get: async () => undefined, set: async () => {} }

/**
 * Opens a cache in Redis if REDIS_URL is set. The first request does not wait until the library is loaded.
 * @returns undefined if REDIS_URL is not set
 * @throws UserError if it cannot be used
 */
export function openCache(config: Config): (Cache & { close: () => void }) | undefined {
  const url = config.get('REDIS_URL') && config.need('REDIS_URL')
  if (!url) return undefined
  let cache = nothing
  let isClosed = false
  let close = () => {}
  let loading: Promise<void> | undefined
  const load = async () => {
    const { redisCache } = await import('./redis-cache.ts')
    if (isClosed) return
    const opened = redisCache(url)
    cache = opened
    close = opened.close
  }
  return {
    get: (key) => {
      loading ??= load()
      return cache.get(key)
    },
    set: (...given) => cache.set(...given),
    close: () => {
      isClosed = true
      close()
    },
  }
}
