import { Redis } from 'ioredis'
import type { Cache } from './cache.ts'

/** How long an answer may take, in ms. A store that is asked instead is not much slower. */
const patienceMs = 100

/** How long Redis is left alone after it has failed, in ms. */
const pauseMs = 1_000

/** Opens a cache in Redis. While Redis cannot be reached or does not answer, the cache is empty, and keeps nothing. */
export function redisCache(url: string): Cache & { close: () => void } {
  const client = new Redis(url, {
    connectTimeout: 1_000,
    commandTimeout: patienceMs,
    maxRetriesPerRequest: 0,
    // a command fails at once if there is no connection
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(attempt * 100, 500),
  })
  client.on('error', () => {})
  let pausedUntil = 0
  const attempt = async <T>(command: () => Promise<T>): Promise<T | undefined> => {
    if (client.status !== 'ready' || performance.now() < pausedUntil) return undefined
    try {
      return await command()
    } catch {
      pausedUntil = performance.now() + pauseMs
      return undefined
    }
  }
  return {
    get: async (key) => (await attempt(() => client.get(key))) ?? undefined,
    set: async (key, value, seconds) => void (await attempt(() => client.set(key, value, 'EX', seconds))),
    close: () => client.disconnect(),
  }
}
