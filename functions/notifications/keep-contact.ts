import * as z from 'zod'
import { and, eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetSecrets, readSecret } from '../../events/secrets.ts'
import { contacts, mails } from './notification.ts'
import { announce, notify } from './store.ts'

const Contact = z.object({ email: z.string(), name: z.string() })

/** Keeps where a user can be reached. If the address is another one, the old one is told, too. */
export const keepContact = reaction(
  'keep-contact',
  async ({ id: eventId, data: { userId, contactId }, time: at }, { db, once }) => {
    const secret = await readSecret(db, contactId)
    await once(async (tx) => {
      // nobody has taken it for a day: the next change of the contact brings another
      if (secret === undefined) return
      await forgetSecrets(tx, [contactId])
      const { email, name } = Contact.parse(JSON.parse(secret))
      await tx.insert(contacts).values({ userId }).onConflictDoNothing()
      const [known] = await tx.select().from(contacts).where(eq(contacts.userId, userId)).for('update')
      // an earlier contact may come later
      if (known === undefined || known.deletedAt !== null || (known.contactId ?? '') >= contactId) return
      await tx.update(contacts).set({ email, name, contactId }).where(eq(contacts.userId, userId))
      if (known.email !== null && known.email !== email)
        await notify(tx, userId, {
          eventId,
          kind: 'email-changed',
          facts: {},
          orderId: null,
          at,
          mailTo: known.email,
        })
      // mails that have waited for the address
      const waiting = await tx
        .select({ id: mails.id })
        .from(mails)
        .where(and(eq(mails.userId, userId), eq(mails.status, 'waiting')))
      await Promise.all(waiting.map(({ id }) => announce(tx, id, userId)))
    })
  },
)
