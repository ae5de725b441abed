import { sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { contacts } from './notification.ts'

export const keepLanguage = reaction(
  'keep-language',
  async ({ data: { userId, language }, time: languageAt }, { once }) => {
    await once(async (tx) => {
      await tx
        .insert(contacts)
        .values({ userId, language, languageAt })
        .onConflictDoUpdate({
          target: contacts.userId,
          set: { language, languageAt },
          // an earlier choice may come later
          setWhere: sql`coalesce(${contacts.languageAt}, '-infinity') < ${languageAt.toISOString()}`,
        })
    })
  },
)
