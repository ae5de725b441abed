import { asc, eq, inArray, sql } from 'drizzle-orm'
import { sessionEnded } from '../shared/auth/ended-sessions.ts'
import type { User } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { Claim, hashOf, isExpired } from './claim.ts'
import {
  claims,
  Customer,
  customers,
  languageOf,
  mergedProfile,
  nothing,
  pathOf,
  toCustomer,
  type CustomerRow,
} from './customer.ts'
import { moveSaved } from './move-saved.ts'
import { problems } from './problems.ts'
import { forgetAnswersAt, lockCustomer } from './store.ts'

export const claimCustomer = operation(
  'claim-customer',
  {
    request: { body: Claim },
    responses: { 200: Customer },
    problems: [problems['claim-used'], problems['claim-not-valid']],
    headers: ['ETag'],
  },
  async ({ body: { token }, user, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const { isDone, own, kept } = await lockClaim(tx, hashOf(token), user)
      // a retry, whose first answer was lost
      if (isDone) return own
      const merged = await mergeInto(tx, own, kept)
      await tx
        .update(claims)
        .set({ usedBy: user.id })
        .where(eq(claims.tokenHash, hashOf(token)))
      await tx.emit('customer.claimed', kept.id, { customerId: kept.id, userId: user.id })
      if (languageOf(merged) !== languageOf(own))
        await tx.emit('customer.language-changed', own.id, { userId: own.id, language: languageOf(merged) })
      return merged
    })
    return json(toCustomer(row), 200, { ETag: etag(row.version) })
  },
)

/**
 * Locks the caller's profile and the one that a link is for.
 * @throws Problem 409 if somebody else has used the link, 422 if there is no such link or it has expired
 */
async function lockClaim(tx: Tx, tokenHash: string, caller: User) {
  const [found] = await tx.select().from(claims).where(eq(claims.tokenHash, tokenHash))
  if (found === undefined) throw notValid('It is not known: open the newest link that you were sent.')
  // in a fixed order, so that two claims do not wait for each other
  const ids = [found.customerId, caller.id]
  const rows = await tx
    .select()
    .from(customers)
    .where(inArray(customers.id, ids))
    .orderBy(asc(customers.id))
    .for('update')
  if (rows.some(({ id, deletedAt }) => id === caller.id && deletedAt !== null)) throw sessionEnded()
  const own = await lockCustomer(tx, caller.id, caller)
  const kept = rows.find(({ id }) => id === found.customerId)!
  // another request may have used or replaced it until the rows were locked
  const [claim] = await tx.select().from(claims).where(eq(claims.tokenHash, tokenHash))
  if (claim === undefined) throw notValid('A newer one was sent: open that.')
  if (claim.usedBy !== null && claim.usedBy !== caller.id)
    throw new Problem(problems['claim-used'], {
      detail: 'Somebody has claimed this record with another account. If that was not you, ask the shop.',
    })
  if (claim.usedBy === null && isExpired(claim.requestedAt, new Date()))
    throw notValid('It has expired after seven days: ask for another.')
  return { isDone: claim.usedBy !== null, own, kept }
}

const notValid = (detail: string) => new Problem(problems['claim-not-valid'], { detail })

/** Merges what staff keep of a customer into a profile, and leaves nothing of it. Returns the profile. */
async function mergeInto(tx: Tx, own: CustomerRow, kept: CustomerRow): Promise<CustomerRow> {
  await moveSaved(tx, kept.id, own.id)
  await tx
    .update(customers)
    .set({ ...nothing, claimedBy: own.id, version: kept.version + 1, updatedAt: sql`now()` })
    .where(eq(customers.id, kept.id))
  await forgetAnswersAt(tx, pathOf(kept.id))
  const [merged] = await tx
    .update(customers)
    .set({ ...mergedProfile(own, kept), version: own.version + 1, updatedAt: sql`now()` })
    .where(eq(customers.id, own.id))
    .returning()
  return merged!
}
