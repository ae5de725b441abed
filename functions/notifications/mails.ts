import { and, eq, sql } from 'drizzle-orm'
import type { Once } from '../../events/reaction.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { mails, type MailStatus } from './notification.ts'

/**
 * The state of each mail, so that it is sent once:
 *
 *   (none) ──► sending ──► sent | refused
 *                │  ▲
 *                ▼  │
 *              failed, waiting
 *
 * `sending` is committed before the mail server is called, and `sent` after it has taken the mail. A process that dies
 * in between leaves `sending` behind. Nobody can know then whether the mail server took the mail, so after the lease it
 * is sent again with the same Message-ID: a mail is never lost, and doubled only in this window.
 */

/** How long an attempt has, in s. It is longer than a call to the mail server may take. */
export const leaseSeconds = 60

/**
 * Sends a mail, unless it has been sent.
 * @param deliver calls the mail server
 * @throws Unavailable if another attempt is under way, or the mail server does not take the mail
 */
export async function sendOnce(
  { db, once }: { db: Db; once: Once },
  id: string,
  userId: string | null,
  deliver: () => Promise<Extract<MailStatus, 'sent' | 'refused'>>,
  finish: (tx: Tx) => Promise<unknown> = async () => {},
): Promise<void> {
  if (!(await begin(db, id, userId))) {
    const [mail] = await db.select({ status: mails.status }).from(mails).where(eq(mails.id, id))
    if (mail?.status === 'sending') throw new Unavailable('another attempt is sending the mail')
    return void (await once(async () => {}))
  }
  const status = await deliver().catch(async (error: unknown) => {
    await setStatus(db, id, 'failed')
    throw error
  })
  const isFirst = await once(async (tx) => {
    await setStatus(tx, id, status)
    await finish(tx)
  })
  // the event was handled before, by an attempt whose lease had ended
  if (!isFirst) await setStatus(db, id, status)
}

/** Begins an attempt. Returns false if the mail is sent, or another attempt is under way. */
async function begin(db: Db, id: string, userId: string | null): Promise<boolean> {
  const lease = sql`now() + ${leaseSeconds}::int * interval '1 second'`
  const begun = await db
    .insert(mails)
    .values({ id, userId, status: 'sending', attempts: 1, lease })
    .onConflictDoUpdate({
      target: mails.id,
      set: { status: 'sending', attempts: sql`${mails.attempts} + 1`, lease, at: sql`now()` },
      setWhere: sql`${mails.status} in ('failed', 'waiting') or (${mails.status} = 'sending' and ${mails.lease} < now())`,
    })
    .returning({ id: mails.id })
  return begun.length > 0
}

/** Ends an attempt. */
const setStatus = (db: Db | Tx, id: string, status: MailStatus) =>
  db
    .update(mails)
    .set({ status, at: sql`now()` })
    .where(and(eq(mails.id, id), eq(mails.status, 'sending')))
