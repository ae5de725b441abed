import { createHash } from 'node:crypto'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import { prepared, type Db } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'

/** How many wrong passwords are allowed for one account and from one address within `seconds`. */
export const limits = { account: 10, address: 100, seconds: 15 * 60 } as const

/** Counts attempts to log in, in PostgreSQL, so that the limits hold across processes. */
export interface Attempts {
  /**
   * Counts an attempt before the password is checked, so that concurrent attempts cannot exceed the limit.
   * @param account the e-mail address; one that no user has is counted too, so that limits reveal nothing
   * @returns `succeeded`, to call after a correct password: it clears the count of the account and takes
   *   this attempt off the count of the address
   * @throws Problem 429 if a limit is reached
   */
  begin: (address: string, account: string) => Promise<{ succeeded: () => Promise<void> }>
}

export const openAttempts = prepared((db: Db): Attempts => {
  const limiter = (keyPrefix: 'account' | 'address') =>
    new RateLimiterPostgres({
      // the part of the `pg` client that the limiter uses
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
      // one of the two limiters deletes the expired rows of both
      clearExpiredByTimeout: keyPrefix === 'account',
    })
  const byAccount = limiter('account')
  const byAddress = limiter('address')
  return {
    async begin(address, email) {
      const account = createHash('sha256').update(email).digest('base64url')
      // the address first: one that is over its limit must not use up the limits of accounts
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
