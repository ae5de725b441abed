import { html } from 'hono/html'
import { mailTexts } from './render.ts'
import type { Language, Texts } from './texts.ts'

/** Where mails are handed over, and what is in all of them. */
export interface MailSettings {
  /** Such as `smtps://shop@mail.example.com`. Without TLS in the URL, it is used if the server offers it. */
  url: string
  /** For the user in the URL, if there is one. */
  password: string
  from: string
  /** The shop, as customers reach it. */
  shopUrl: string
  /** Has a function called when the process ends. */
  onClose: (close: () => void) => void
}

export interface Mail extends Texts {
  /** The same for each attempt, so that a receiver recognises a mail that is sent twice. */
  id: string
  to: string
  /** The recipient's name. */
  name: string
  language: Language
  /** Why the recipient gets it. */
  why: 'account' | 'security' | 'request'
  /** The link to unsubscribe, if the recipient can. */
  unsubscribe?: string | undefined
}

/** Returns the parts of a mail that the recipient sees. */
export async function compose({ from, shopUrl }: Pick<MailSettings, 'from' | 'shopUrl'>, mail: Mail) {
  const { id, to, name, language, title, text, why, unsubscribe } = mail
  const said = mailTexts(language, { name, shop: shopUrl, why })
  const greeting = name === '' ? said.greetingAnyone : said.greeting
  const domain = /@([\w.-]+)>?$/.exec(from)?.[1] ?? 'localhost'
  return {
    to: name === '' ? to : { name, address: to },
    subject: title,
    messageId: `<${id}@${domain}>`,
    headers: {
      // no answers from absence assistants (RFC 3834)
      'Auto-Submitted': 'auto-generated',
      'Content-Language': language,
      ...(unsubscribe === undefined
        ? {}
        : {
            'List-Unsubscribe': `<${unsubscribe}>`,
            'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
          }),
    },
    text: [
      greeting,
      text,
      [said.why, ...(unsubscribe === undefined ? [] : [`${said.unsubscribe}: ${unsubscribe}`])].join('\n'),
    ].join('\n\n'),
    html: await htmlOf({ language, title, greeting, text, said, unsubscribe }),
  }
}

/** Returns the mail as HTML, in which everything is escaped. Paragraphs of the text are separated by empty lines. */
const htmlOf = async ({ language, title, greeting, text, said, unsubscribe }: HtmlParts): Promise<string> =>
  // Hono's is a String object
  String(
    await html`<!doctype html>
      <html lang="${language}">
        <head>
          <meta charset="utf-8" />
          <title>${title}</title>
        </head>
        <body
          style="font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 2em auto; padding: 0 1em"
        >
          <h1 style="font-size: 1.25em">${title}</h1>
          <p>${greeting}</p>
          ${text.split('\n\n').map((each) => html`<p>${isLink(each) ? html`<a href="${each}">${each}</a>` : each}</p>`)}
          <p style="font-size: 0.85em; color: #555">
            ${said.why}
            ${unsubscribe === undefined ? '' : html`<br /><a href="${unsubscribe}">${said.unsubscribe}</a>`}
          </p>
        </body>
      </html>`,
  )

/** Whether a paragraph is nothing but a link. */
const isLink = (paragraph: string) => /^https?:\/\/\S+$/.test(paragraph)

interface HtmlParts {
  language: Language
  title: string
  greeting: string
  text: string
  said: ReturnType<typeof mailTexts>
  unsubscribe: string | undefined
}
