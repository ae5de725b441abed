import { RateLimiterPostgres } from 'rate-limiter-flexible'
import type { Db } from './postgres.ts'
import { requestCounts, unlimited } from './request-counts.ts'

interface Options {
  schemaName: string
  tableName: string
  keyPrefix: string
  points: number
  /** In seconds. */
  duration: number
  /** Whether it deletes the table's expired rows, which one limiter of a table should do. */
  clearsExpired?: boolean
}

/** Opens a limiter that counts in a table made by `countsTable`. */
export function postgresLimiter(db: Db, { clearsExpired = true, ...options }: Options): RateLimiterPostgres {
  return new RateLimiterPostgres({
    // the part of the `pg` client that the limiter uses
    storeClient: {
      query: async ({ text, values }: { text: string; values: (string | number)[] }) => {
        const rows = await db.client.unsafe(text, values, { prepare: true })
        return { rows, rowCount: rows.count }
      },
    },
    storeType: 'client',
    tableCreated: true,
    clearExpiredByTimeout: clearsExpired,
    ...options,
  })
}

/** Documented, but missing from the library's types. */
interface Clearing {
  clearExpired: (before: number) => Promise<void>
}

/** Opens a limiter of requests in a domain's schema. */
export function requestLimiter(db: Db, schemaName: string): RateLimiterPostgres {
  const limiter: RateLimiterPostgres & Partial<Clearing> = postgresLimiter(db, {
    schemaName,
    tableName: requestCounts,
    keyPrefix: '',
    ...unlimited,
  })
  // the limiter itself does this every five minutes, and few processes live that long; it never rejects
  void limiter.clearExpired?.(Date.now())
  return limiter
}
