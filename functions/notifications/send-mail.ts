import { eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { sendMail } from './mail.ts'
import { sendOnce } from './mails.ts'
import { contacts, mails, notifications, type ContactRow } from './notification.ts'
import { render } from './render.ts'
import { isAboutSecurity, isMailed, type Kind } from './texts.ts'

export const sendMailOnce = reaction(
  'send-mail',
  async ({ data: { notificationId: id, userId } }, { db, once, mail, unsubscribing }) => {
    const [found] = await db
      .select({ notification: notifications, contact: contacts })
      .from(notifications)
      .innerJoin(contacts, eq(contacts.userId, notifications.userId))
      .where(eq(notifications.id, id))
    // it is forgotten, or not to be mailed
    if (found === undefined || !isWanted(found.notification.kind, found.contact)) {
      await once(async () => {})
      return
    }
    const { notification, contact } = found
    const to = notification.mailTo ?? contact.email
    if (to === null) {
      await once(async (tx) => {
        const [locked] = await tx
          .select({ email: contacts.email })
          .from(contacts)
          .where(eq(contacts.userId, userId))
          .for('update')
        if (locked?.email != null) throw new Unavailable('the address has just come')
        // until keep-contact announces the notification again
        await tx.insert(mails).values({ id, userId, status: 'waiting' }).onConflictDoNothing()
      })
      return
    }
    const { kind, facts, orderId } = notification
    const { language, name } = contact
    const unsubscribe = `${mail.shopUrl}/api/v1/unsubscribe/${unsubscribing.tokenFor(userId)}`
    await sendOnce(
      { db, once },
      id,
      userId,
      () =>
        sendMail(mail, {
          id,
          to,
          name: name ?? '',
          language,
          ...render(kind, language, { ...facts, orderId }),
          ...(isAboutSecurity(kind) ? { why: 'security' } : { why: 'account', unsubscribe }),
        }),
      (tx) => tx.update(notifications).set({ mailTo: null }).where(eq(notifications.id, id)),
    )
  },
)

const isWanted = (kind: Kind, { unsubscribedAt, deletedAt }: ContactRow) =>
  deletedAt === null && isMailed(kind) && (unsubscribedAt === null || isAboutSecurity(kind))
