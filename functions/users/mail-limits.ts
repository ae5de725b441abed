import { prepared, type Db } from '../shared/store/postgres.ts'
import { accountOf, countInAttempts, take } from './attempts.ts'
import type { Purpose } from './mailed-token.ts'

const hour = 60 * 60

/** How many e-mails may be asked for, by purpose and within so many seconds. */
export const mailLimits = {
  /** For one address from one network. */
  'mail-pair': { points: 5, seconds: hour },
  /** From one network, for all addresses. */
  'mail-network': { points: 50, seconds: hour },
  /** For one address from all networks, so that nobody can fill a mailbox. */
  'mail-account': { points: 10, seconds: hour },
} as const

/** Counts requests for e-mails in PostgreSQL, as attempts to log in are counted. */
export const openMailLimits = prepared((db: Db) => {
  const limiters = {
    pair: countInAttempts(db, 'mail-pair', mailLimits['mail-pair']),
    network: countInAttempts(db, 'mail-network', mailLimits['mail-network']),
    account: countInAttempts(db, 'mail-account', mailLimits['mail-account']),
  }
  return {
    /**
     * Counts a request. An e-mail address that no user has is counted too, so that limits reveal nothing.
     * @returns whether the address may get another e-mail. Whoever asks is not told: strangers may have used the limit up,
     *   and then the mailbox has e-mails that are still valid.
     * @throws Problem 429 if the network has asked too often
     */
    async mayMail(purpose: Purpose, address: string, email: string): Promise<boolean> {
      const account = `${purpose}:${accountOf(email)}`
      await take(limiters.pair, `${account} ${address}`, { limit: 'mail-pair' })
      await take(limiters.network, address, { limit: 'mail-network' })
      return limiters.account.consume(account).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error) throw error
          return false
        },
      )
    },
  }
})
