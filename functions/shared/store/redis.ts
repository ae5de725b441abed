import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { unlimited, type Limiter } from './request-counts.ts'

/**
 * Opens a limiter of requests in Redis. While Redis cannot be reached, the limiter rejects at once, and the client
 * connects again.
 */
export function redisLimiter(url: string): { limiter: Limiter; close: () => void } {
  const client = new Redis(url, {
    connectTimeout: 1_000,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, 500),
  })
  // whoever counts reports it
  client.on('error', () => {})
  const limiter = new RateLimiterRedis({ storeClient: client, keyPrefix: 'zeroshop', ...unlimited })
  return { limiter, close: () => client.disconnect() }
}
