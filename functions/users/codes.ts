import { and, eq } from 'drizzle-orm'
import type { User as Caller } from '../shared/auth/access-token.ts'
import { sessionEnded } from '../shared/auth/ended-sessions.ts'
import type { LogSecurity } from '../shared/http/security-log.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { lockUser } from './find-user.ts'
import { sealText, unsealText } from './sealed.ts'
import {
  hasSecondFactor,
  isAppCode,
  newRecoveryCode,
  normalizeCode,
  recoveryCodeCount,
  recoveryCodes,
  secondFactorNeeded,
  wrongCode,
} from './second-factor.ts'
import { hashOf } from './session.ts'
import { users, type UserRow } from './user.ts'

const purposeOf = (userId: string) => `zeroshop second factor of ${userId}`

/** Returns the secret of a user's app as it is stored. */
export const sealSecret = (secret: string, userId: string, key: string): string =>
  sealText(secret, key, purposeOf(userId))

/**
 * Accepts a code of the app once: a later one of the same period, or of an earlier one, is refused.
 * @param user the row, locked in the transaction
 * @returns whether the code is right
 */
export async function takeAppCode(tx: Tx, user: UserRow, code: string, key: string): Promise<boolean> {
  if (user.totpSecret === null) return false
  // the library is needed by few
  const { periodOf } = await import('./totp.ts')
  const period = periodOf(code, unsealText(user.totpSecret, key, purposeOf(user.id)), Date.now())
  if (period === undefined || period <= (user.totpPeriod ?? 0)) return false
  await tx.update(users).set({ totpPeriod: period }).where(eq(users.id, user.id))
  return true
}

/**
 * Requires a code if the user has a second factor: one of the app, or a recovery code, which is then used up.
 * @param user the row, locked in the transaction
 * @param code normalised
 * @throws Problem 401 if there is none, 403 if it is wrong
 */
export async function requireCode(
  tx: Tx,
  user: UserRow,
  code: string | undefined,
  { secondFactorKey, logSecurity }: { secondFactorKey: string; logSecurity: LogSecurity },
): Promise<void> {
  if (!hasSecondFactor(user)) return
  if (code === undefined) throw secondFactorNeeded({ user: user.id })
  if (isAppCode(code)) {
    if (await takeAppCode(tx, user, code, secondFactorKey)) return
  } else {
    const { count } = await tx
      .delete(recoveryCodes)
      .where(and(eq(recoveryCodes.userId, user.id), eq(recoveryCodes.hash, hashOfCode(user.id, code))))
    if (count > 0) return logSecurity('recovery-code-used', { user: user.id })
  }
  throw wrongCode({ user: user.id })
}

/**
 * Requires the caller's own code, if they have a second factor.
 * @throws Problem 401 if there is none, or the caller was deleted; 403 if it is wrong
 */
export async function requireOwnCode(
  tx: Tx,
  caller: Caller,
  code: string | undefined,
  more: { secondFactorKey: string; logSecurity: LogSecurity },
): Promise<void> {
  const row = await lockUser(tx, caller.id)
  if (row === undefined) throw sessionEnded()
  await requireCode(tx, row, code, more)
}

/** Replaces the recovery codes of a user. Returns the new ones, of which only hashes are stored. */
export async function renewCodes(tx: Tx, userId: string): Promise<string[]> {
  await forgetCodes(tx, userId)
  const codes = Array.from({ length: recoveryCodeCount }, newRecoveryCode)
  await tx
    .insert(recoveryCodes)
    .values(codes.map((code) => ({ hash: hashOfCode(userId, normalizeCode(code)), userId })))
  return codes
}

export async function forgetCodes(tx: Tx, userId: string): Promise<void> {
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId))
}

const hashOfCode = (userId: string, code: string) => hashOf(`${userId} ${code}`)
