import { createHash } from 'node:crypto'
import { and, eq, gt, sql } from 'drizzle-orm'
import { RateLimiterRes, type RateLimiterPostgres } from 'rate-limiter-flexible'
import { prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { postgresLimiter } from '../shared/store/postgres-limiter.ts'
import { Problem } from '../shared/http/problems.ts'
import type { SecurityDetails } from '../shared/http/security-log.ts'
import { attempts, sessions } from './session.ts'
import { users } from './user.ts'

const quarterOfAnHour = 15 * 60
const day = 24 * 60 * 60

/**
 * How many wrong passwords are allowed within so many seconds. Nobody can lock another out with them: whoever uses up
 * a budget uses up that of their own network, except for `elsewhere`, which leaves out the networks from which the
 * user has logged in before.
 */
export const limits = {
  /** For one account from one network. */
  pair: { points: 10, seconds: quarterOfAnHour },
  /** From one network, for all accounts from which it has not logged in before. */
  address: { points: 100, seconds: quarterOfAnHour },
  /** For one account, from all networks that have not logged in to it before. NIST SP 800-63B, 3.2.2. */
  elsewhere: { points: 100, seconds: day },
} as const

/**
 * How many wrong codes of a second factor are allowed for one account, from all networks. Only whoever knows the password
 * gets so far, and whoever resets it is let in again. Of a million codes three are right at a time.
 */
export const codeLimit = { points: 50, seconds: day } as const

export type Budget = keyof typeof limits

/**
 * Returns the budgets from which an attempt takes, in this order. One that is refused by a narrow budget does not
 * count in a wider one.
 * @param isKnown whether the account was logged in to from the network before
 */
export const budgetsOf = (isKnown: boolean): readonly Budget[] =>
  isKnown ? ['pair'] : ['pair', 'address', 'elsewhere']

/** Counts attempts to log in, in PostgreSQL, so that the limits hold across processes. */
export interface Attempts {
  /**
   * Counts an attempt before the password is checked, so that concurrent attempts cannot exceed the limit.
   * @param address the network of the client
   * @param account the e-mail address; one that no user has is counted too, so that limits reveal nothing
   * @param details for the security log, if a limit is reached
   * @returns `succeeded`, to call after a correct password: it clears the count of the account from this network, and
   *   takes this attempt off the other counts; `takeBack`, to call if the attempt was neither right nor wrong: it takes
   *   the attempt off every count
   * @throws Problem 429 if a limit is reached
   */
  begin: (
    address: string,
    account: string,
    details?: SecurityDetails,
  ) => Promise<{ succeeded: () => Promise<void>; takeBack: () => Promise<void> }>
}

/** Opens a limiter that counts in the table of attempts. */
export const countInAttempts = (
  db: Db,
  keyPrefix: string,
  { points, seconds }: { points: number; seconds: number },
): RateLimiterPostgres =>
  postgresLimiter(db, {
    schemaName: 'users',
    tableName: 'attempts',
    keyPrefix,
    points,
    duration: seconds,
    // in each process, one of the limiters deletes the expired rows of all
    clearsExpired: keyPrefix.endsWith('pair'),
  })

export const openAttempts = prepared((db: Db): Attempts => {
  const limiter = (budget: Budget) => countInAttempts(db, budget, limits[budget])
  const limiters = { pair: limiter('pair'), address: limiter('address'), elsewhere: limiter('elsewhere') }
  return {
    async begin(address, email, details = {}) {
      const account = accountOf(email)
      const keys: Record<Budget, string> = {
        pair: `${account} ${address}`,
        address,
        elsewhere: account,
      }
      const budgets = budgetsOf((await knownNetwork(db).execute({ email, network: address })).length > 0)
      for (const budget of budgets) await take(limiters[budget], keys[budget], { ...details, limit: budget })
      return {
        async succeeded() {
          await Promise.all(
            budgets.map((budget) =>
              budget === 'pair' ? limiters.pair.delete(keys.pair) : limiters[budget].reward(keys[budget]),
            ),
          )
        },
        async takeBack() {
          await Promise.all(budgets.map((budget) => limiters[budget].reward(keys[budget])))
        },
      }
    },
  }
})

const codeLimiter = prepared((db) => countInAttempts(db, 'code', codeLimit))

/**
 * Counts a code before it is checked.
 * @returns `succeeded`, to call after a right code: it takes this one off the count
 * @throws Problem 429 if the limit is reached
 */
export async function beginCode(db: Db, email: string, details: SecurityDetails = {}) {
  const [limiter, account] = [codeLimiter(db), accountOf(email)]
  await take(limiter, account, { ...details, limit: 'code' })
  return { succeeded: async () => void (await limiter.reward(account)) }
}

/** Forgets from where somebody tried to log in to an account or asked for e-mails, and how often. */
export async function forgetAttempts(tx: Tx, email: string): Promise<void> {
  const account = accountOf(email)
  await tx.delete(attempts).where(
    sql`${attempts.key} in (${`elsewhere:${account}`}, ${`code:${account}`}) or starts_with(${attempts.key}, ${`pair:${account} `}) or
        (starts_with(${attempts.key}, 'mail-') and position(${account} in ${attempts.key}) > 0)`,
  )
}

/** Returns what stands for an e-mail address in keys. */
export const accountOf = (email: string) => createHash('sha256').update(email).digest('base64url')

/** Finds a session that was started from the network. Sessions are kept for 30 days after their last refresh. */
const knownNetwork = prepared((db) =>
  db
    .select({ id: sessions.id })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(
      and(
        eq(users.email, sql.placeholder('email')),
        eq(sessions.network, sql.placeholder('network')),
        gt(sessions.expiresAt, sql`now()`),
      ),
    )
    .limit(1)
    .prepare('known_network'),
)

/** @throws Problem 429 if nothing is left */
export async function take(limiter: RateLimiterPostgres, key: string, security: SecurityDetails) {
  try {
    await limiter.consume(key)
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
    throw new Problem('too-many-attempts', {
      detail: `Try again in ${inWords(seconds)}.`,
      headers: { 'retry-after': String(seconds) },
      security,
    })
  }
}

/** Returns a duration in minutes or hours, rounded up. */
const inWords = (seconds: number) =>
  seconds <= 2 * 60 * 60 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`
