import { IntlMessageFormat } from 'intl-messageformat'
import type { Money } from '../shared/schemas/schemas.ts'
import type { Notification, NotificationRow } from './notification.ts'
import { en } from './texts-en.ts'
import { es } from './texts-es.ts'
import type { Facts, Kind, Language, LinkKind, Texts, TextsOf } from './texts.ts'

/** Puts what users are told into their language. The texts are ICU messages. */

const texts: Readonly<Record<Language, TextsOf>> = { en, es }

const parsed = new Map<string, IntlMessageFormat>()

/** Puts values into a message. */
function format(
  message: string,
  language: Language,
  values: Record<string, string | null | undefined>,
): string {
  // parsed at its first use
  const known = parsed.get(message) ?? new IntlMessageFormat(message, language, undefined, options)
  parsed.set(message, known)
  return String(known.format(values))
}

/** The messages contain no markup. HTML is made from their result, which is escaped. */
const options = { ignoreTag: true }

/** Returns the title and the text of a notification. */
export function render(
  kind: Kind,
  language: Language,
  { amount, ...facts }: Facts & { orderId?: string | null },
): Texts {
  const values = { ...facts, amount: amount && moneyIn(language, amount) }
  const { title, text } = texts[language][kind]
  return { title: format(title, language, values), text: format(text, language, values) }
}

/** Returns what is in each mail. */
export const mailTexts = (language: Language, values: { name: string; shop: string; why: string }) =>
  all(language, texts[language].mail, values)

/** Returns the title and the text of a mail with a link. */
export const linkTexts = (kind: LinkKind, language: Language, link: string): Texts =>
  all<keyof Texts>(language, { ...texts[language].links[kind] }, { link })

/** Returns what is on the page with which people unsubscribe. */
export const pageTexts = (language: Language) => all(language, texts[language].page, {})

const all = <K extends string>(
  language: Language,
  messages: Readonly<Record<K, string>>,
  values: Record<string, string>,
): Record<K, string> =>
  Object.fromEntries(
    Object.entries<string>(messages).map(([name, message]) => [name, format(message, language, values)]),
  ) as Record<K, string>

/** Formats money as people write it, such as `6,90 €`, with as many decimals as the currency has (ISO 4217). */
function moneyIn(language: Language, { amount, currency }: Money): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(amount / 10 ** digits)
}

/** Converts a row to the API's notification, in a language. */
export function toNotification(row: NotificationRow, language: Language): Notification {
  const { id, seq, kind, orderId, facts, at, readAt } = row
  return {
    id,
    // it belongs to a user
    seq: seq ?? 0,
    kind,
    ...render(kind, language, { ...facts, orderId }),
    language,
    orderId,
    at: at.toISOString(),
    readAt: readAt?.toISOString() ?? null,
  }
}
