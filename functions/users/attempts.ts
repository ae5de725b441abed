import { createHash } from 'node:crypto'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import { prepared, type Db } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'

/** How many wrong passwords, in how many seconds, for one account and from one address. */
export const limits = { account: 10, address: 100, seconds: 15 * 60 } as const

/** Counts the tries of passwords in PostgreSQL, so that the limits hold across processes. */
export interface Attempts {
  /**
   * Counts one attempt before the password is looked at: many at once cannot slip in between looking and counting.
   * @param account the e-mail address, also one that no user has, so that a limit tells nothing about who has
   * @throws Problem 429
   */
  begin: (address: string, account: string) => Promise<{ succeeded: () => Promise<void> }>
}

export const openAttempts = prepared((db: Db): Attempts => {
  const limiter = (keyPrefix: 'account' | 'address') =>
    new RateLimiterPostgres({
      // what the limiter knows as a client of `pg`
      storeClient: {
        query: async ({ text, values }: { text: string; values: (string | number)[] }) => {
          const rows = await db.client.unsafe(text, values, { prepare: true })
          return { rows, rowCount: rows.count }
        },
      },
      storeType: 'client',
      schemaName: 'users',
      tableName: 'attempts',
      tableCreated: true,
      keyPrefix,
      points: limits[keyPrefix],
      duration: limits.seconds,
      // one of the two clears both's rows away
      clearExpiredByTimeout: keyPrefix === 'account',
    })
  const byAccount = limiter('account')
  const byAddress = limiter('address')
  return {
    async begin(address, email) {
      const account = createHash('sha256').update(email).digest('base64url')
      // an address that is over its limit must not use up the limits of accounts
      await take(byAddress, address)
      await take(byAccount, account)
      return {
        async succeeded() {
          await Promise.all([byAddress.reward(address), byAccount.delete(account)])
        },
      }
    },
  }
})

async function take(limiter: RateLimiterPostgres, key: string) {
  try {
    await limiter.consume(key)
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
    throw new Problem('too-many-attempts', {
      detail: `Try again in ${Math.ceil(seconds / 60)} min.`,
      headers: { 'retry-after': String(seconds) },
    })
  }
}
