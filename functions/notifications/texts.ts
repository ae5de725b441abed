import { IntlMessageFormat } from 'intl-messageformat'
import type { Money } from '../shared/schemas/schemas.ts'
import { en } from './texts-en.ts'
import { es } from './texts-es.ts'

/** The texts of notifications, as ICU messages in each language. */

export const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]

export const kinds = [
  'order-confirmed',
  'order-shipped',
  'order-completed',
  'order-cancelled',
  'payment-declined',
  'payment-refunded',
] as const
export type Kind = (typeof kinds)[number]

/** A title of one line, which is also the subject of a mail, and a text of a few sentences. */
export interface Texts {
  title: string
  text: string
}

export type TextsOf = Readonly<Record<Kind, Texts>>

/** Why an order was cancelled, as the texts name it. */
export const cancellations = [
  'onRequest',
  'outOfStock',
  'notConfirmedInTime',
  'notShippedInTime',
  'accountDeleted',
  'payment',
] as const
export type Cancellation = (typeof cancellations)[number]

/** What a text says, in no language. */
export interface Facts {
  reason?: Cancellation
  /** In the words of the payment provider. */
  detail?: string
  amount?: Money
}

const texts: Readonly<Record<Language, TextsOf>> = { en, es }

const parsed = new Map<string, IntlMessageFormat>()

/** Returns the title and the text of a notification. */
export function render(
  kind: Kind,
  language: Language,
  { amount, ...facts }: Facts & { orderId?: string | null },
): Texts {
  const values = { ...facts, amount: amount && moneyIn(language, amount) }
  const format = (part: keyof Texts) => {
    const key = `${language} ${kind} ${part}`
    // parsed at its first use
    const message =
      parsed.get(key) ?? new IntlMessageFormat(texts[language][kind][part], language, undefined, options)
    parsed.set(key, message)
    return String(message.format(values))
  }
  return { title: format('title'), text: format('text') }
}

/** The messages contain no markup. HTML is made from their result, which is escaped. */
const options = { ignoreTag: true }

/** Formats money as people write it, such as `6,90 €`, with as many decimals as the currency has (ISO 4217). */
function moneyIn(language: Language, { amount, currency }: Money): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(amount / 10 ** digits)
}

/** The reasons that the shop itself gives for a cancellation, by how they begin. */
const reasons: readonly (readonly [begin: string, reason: Cancellation])[] = [
  ['cancelled on request', 'onRequest'],
  ['not enough stock', 'outOfStock'],
  ['took too long', 'notConfirmedInTime'],
  ['not shipped in time', 'notShippedInTime'],
  ['the account was deleted', 'accountDeleted'],
]

/** Returns what a text says about the reason in `order.cancelled`. Any other than the shop's is the payment provider's. */
export function cancellationFacts(text: string): Facts {
  const reason = reasons.find(([begin]) => text.startsWith(begin))?.[1]
  return reason === undefined ? { reason: 'payment', detail: text } : { reason }
}
