import { and, eq, sql } from 'drizzle-orm'
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

/** A mail that the mail server has taken, or refuses for good. */
export interface Sent {
  id: string
  status: Extract<MailStatus, 'sent' | 'refused'>
}

/**
 * Sends a mail, unless it has been sent. `finishAll` ends the attempt.
 * @param deliver calls the mail server
 * @returns undefined if it has been sent before
 * @throws Unavailable if another attempt is under way, or the mail server does not take the mail
 */
export async function attempt(
  db: Db,
  id: string,
  userId: string | null,
  deliver: () => Promise<Sent['status']>,
): Promise<Sent | undefined> {
  if (!(await begin(db, id, userId))) {
    const [mail] = await db.select({ status: mails.status }).from(mails).where(eq(mails.id, id))
    if (mail?.status === 'sending') throw new Unavailable('another attempt is sending the mail')
    return undefined
  }
  try {
    return { id, status: await deliver() }
  } catch (error) {
    await db
      .update(mails)
      .set({ status: 'failed', at: sql`now()` })
      .where(isSending(id))
    throw error
  }
}

/** Begins an attempt. Returns false if the mail is sent, or another attempt is under way. */
async function begin({ client }: Db, id: string, userId: string | null): Promise<boolean> {
  const { count } = await client`
    insert into notifications.mails as mail (id, user_id, status, attempts, lease)
    values (${id}, ${userId}, 'sending', 1, now() + ${leaseSeconds}::int * interval '1 second')
    on conflict (id) do update
    set status = 'sending', attempts = mail.attempts + 1, lease = excluded.lease, at = now()
    where mail.status in ('failed', 'waiting') or (mail.status = 'sending' and mail.lease < now())`
  return count > 0
}

/** Ends attempts. */
export async function finishAll(tx: Tx, sent: readonly Sent[]): Promise<void> {
  if (sent.length > 0)
    await tx.client`
      update notifications.mails as mail set status = new.status, at = now()
      from jsonb_to_recordset(${JSON.stringify(sent)}::jsonb) as new (id uuid, status text)
      where mail.id = new.id and mail.status = 'sending'`
}

const isSending = (id: string) => and(eq(mails.id, id), eq(mails.status, 'sending'))
