import type { Context } from 'hono'
import { html } from 'hono/html'
import { eq, sql } from 'drizzle-orm'
import type { Db } from '../shared/store/postgres.ts'
import { contacts } from './notification.ts'
import { pageTexts } from './render.ts'
import { readState } from './store.ts'

/** The page behind the link in a mail. */

/** Makes a page in the user's language: with a button, or saying that it is done. */
export async function unsubscribePage(
  c: Context,
  db: Db,
  userId: string,
  isDone: boolean,
): Promise<Response> {
  const { language } = await readState(db, userId)
  const said = pageTexts(language)
  const page = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${said.title}</title>
      </head>
      <body>
        <main>
          <h1>${said.title}</h1>
          ${
            isDone
              ? html`<p>${said.done}</p>`
              : html`<p>${said.question}</p>
                  <form method="post"><button>${said.button}</button></form>`
          }
        </main>
      </body>
    </html>`
  return c.html(page, 200, {
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    // the link must not be told to other sites
    'referrer-policy': 'no-referrer',
  })
}

/** Ends, or begins again, the mails to a user. A user who has not been told anything yet has no contact. */
export const setMails = (db: Db, userId: string, areWanted: boolean) => {
  const unsubscribedAt = areWanted ? null : sql`coalesce(${contacts.unsubscribedAt}, now())`
  return db
    .insert(contacts)
    .values({ userId, unsubscribedAt: areWanted ? null : sql`now()` })
    .onConflictDoUpdate({ target: contacts.userId, set: { unsubscribedAt } })
}

/** Whether a user gets mails. */
export async function getsMails(db: Db, userId: string): Promise<boolean> {
  const [contact] = await db
    .select({ at: contacts.unsubscribedAt })
    .from(contacts)
    .where(eq(contacts.userId, userId))
  return (contact?.at ?? null) === null
}
