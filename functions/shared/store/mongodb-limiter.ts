import type { Db } from 'mongodb'
import { RateLimiterMongo } from 'rate-limiter-flexible'
import { requestCounts, unlimited, type Limiter } from './request-counts.ts'

/** Opens a limiter of requests in a domain's database. Its migrations have created the indexes. */
export function requestLimiter(db: Db): Limiter {
  const limiter = new RateLimiterMongo({
    storeClient: db,
    tableName: requestCounts,
    keyPrefix: '',
    ...unlimited,
    disableIndexesCreation: true,
  })
  return {
    penalty: (key, points, options) => limiter.penalty(key, points, { ...options, attrs: {} }),
  }
}
