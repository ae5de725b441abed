import { eq, sql } from 'drizzle-orm'
import { batchReaction } from '../../events/reaction.ts'
import { isAmong, prepared, type Tx } from '../shared/store/postgres.ts'
import { mailerOf } from './mailer.ts'
import { attempt, finishAll, type Sent } from './mails.ts'
import { contacts, notifications, type ContactRow } from './notification.ts'
import { render } from './render.ts'
import { announce } from './store.ts'
import { isAboutSecurity, isMailed, type Kind } from './texts.ts'

/** What is to be written of a mail. */
interface Outcome {
  /** The notification. */
  id: string
  sent?: Sent | undefined
  /** Whether its own address is to be forgotten. */
  hasOwnAddress?: boolean
  /** The user whose address is not known yet. */
  waitsFor?: string
}

const byId = prepared((db) =>
  db
    .select({ notification: notifications, contact: contacts })
    .from(notifications)
    .innerJoin(contacts, eq(contacts.userId, notifications.userId))
    .where(eq(notifications.id, sql.placeholder('id')))
    .prepare('notification_and_contact'),
)

export const sendMail = batchReaction('send-mail', {
  prepare: async ({ data: { notificationId: id } }, { db, mail, unsubscribing }): Promise<Outcome> => {
    const [found] = await byId(db).execute({ id })
    // it is forgotten, or not to be mailed
    if (found === undefined || !isWanted(found.notification.kind, found.contact)) return { id }
    const { kind, facts, orderId, mailTo } = found.notification
    const { userId, language, name, email } = found.contact
    const to = mailTo ?? email
    if (to === null) return { id, waitsFor: userId }
    const unsubscribe = `${mail.shopUrl}/api/v1/unsubscribe/${unsubscribing.tokenFor(userId)}`
    const { turn, send } = mailerOf(mail)
    const sent = await turn(() =>
      attempt(db, id, userId, () =>
        send({
          id,
          to,
          name: name ?? '',
          language,
          ...render(kind, language, { ...facts, orderId }),
          ...(isAboutSecurity(kind) ? { why: 'security' } : { why: 'account', unsubscribe }),
        }),
      ),
    )
    return { id, sent, hasOwnAddress: mailTo !== null }
  },
  write: async (tx, _, outcomes) => {
    await Promise.all([
      finishAll(
        tx,
        outcomes.flatMap(({ sent }) => sent ?? []),
      ),
      forgetAddresses(
        tx,
        outcomes.flatMap(({ id, sent, hasOwnAddress }) => (sent && hasOwnAddress ? id : [])),
      ),
      waitForAddresses(
        tx,
        outcomes.flatMap(({ id, waitsFor }) => (waitsFor === undefined ? [] : { id, userId: waitsFor })),
      ),
    ])
  },
})

const isWanted = (kind: Kind, { unsubscribedAt, deletedAt }: ContactRow) =>
  deletedAt === null && isMailed(kind) && (unsubscribedAt === null || isAboutSecurity(kind))

async function forgetAddresses(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx.update(notifications).set({ mailTo: null }).where(isAmong(notifications.id, ids))
}

/**
 * Keeps that mails wait for the addresses of their users, until keep-contact announces the notifications again. One whose
 * address has come just now is announced here.
 */
async function waitForAddresses(tx: Tx, waiting: readonly { id: string; userId: string }[]): Promise<void> {
  if (waiting.length === 0) return
  const locked = await tx.client<{ userId: string; isKnown: boolean }[]>`
    select user_id as "userId", email is not null as "isKnown" from notifications.contacts
    where deleted_at is null and user_id in (
      select "userId" from jsonb_to_recordset(${JSON.stringify(waiting)}::jsonb) as new ("userId" uuid))
    order by user_id for update`
  const users = new Map(locked.map(({ userId, isKnown }) => [userId, isKnown]))
  const rows = waiting.filter(({ userId }) => users.get(userId) === false)
  await Promise.all([
    rows.length > 0 &&
      tx.client`
        insert into notifications.mails (id, user_id, status)
        select id, "userId", 'waiting'
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (id uuid, "userId" uuid)
        on conflict do nothing`,
    ...waiting.map(({ id, userId }) => users.get(userId) === true && announce(tx, id, userId)),
  ])
}
