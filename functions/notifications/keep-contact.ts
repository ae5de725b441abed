import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetSecrets, readSecret } from '../../events/secrets.ts'
import { contacts } from './notification.ts'

const Contact = z.object({ email: z.string(), name: z.string() })

export const keepContact = reaction('keep-contact', async ({ data: { userId, contactId } }, { db, once }) => {
  const secret = await readSecret(db, contactId)
  await once(async (tx) => {
    // nobody has taken it for a day: the next change of the contact brings another
    if (secret === undefined) return
    const { email, name } = Contact.parse(JSON.parse(secret))
    const contact = { email, name, contactId }
    await tx
      .insert(contacts)
      .values({ userId, ...contact })
      .onConflictDoUpdate({
        target: contacts.userId,
        set: contact,
        // an earlier contact may come later
        setWhere: sql`${contacts.deletedAt} is null and ${contactId}::uuid > coalesce(${contacts.contactId}, '00000000-0000-0000-0000-000000000000')`,
      })
    await forgetSecrets(tx, [contactId])
  })
})
