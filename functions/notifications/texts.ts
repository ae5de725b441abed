import type { Money } from '../shared/schemas/schemas.ts'

/** What users are told, in no language yet. */

export const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]

export const kinds = [
  'order-undecided',
  'order-reduced',
  'order-confirmed',
  'order-shipped',
  'parcel-shipped',
  'order-completed',
  'order-cancelled',
  'payment-declined',
  'payment-refunded',
  'return-approved',
  'return-refused',
  'return-received',
  'invoice-issued',
  'email-changed',
  'webhook-disabled',
] as const
export type Kind = (typeof kinds)[number]

/** Such a mail is sent even to a user who has unsubscribed. */
export const isAboutSecurity = (kind: Kind) => kind === 'email-changed'

/** A declined payment also cancels the order, of which a mail tells already. */
export const isMailed = (kind: Kind) => kind !== 'payment-declined'

/** A title of one line, which is also the subject of a mail, and a text of a few sentences. */
export interface Texts {
  title: string
  text: string
}

/** The events on which a link is mailed. */
export type LinkKind =
  'customer.claim-requested' | 'user.verification-requested' | 'user.password-reset-requested'

/** What is in each mail, and on the page with which people unsubscribe. */
export interface CommonTexts {
  mail: Readonly<Record<'greeting' | 'greetingAnyone' | 'why' | 'unsubscribe', string>>
  /** Mails with a link for whoever reads them. */
  links: Readonly<Record<LinkKind, Texts>>
  page: Readonly<Record<'title' | 'question' | 'button' | 'done', string>>
}

export type TextsOf = Readonly<Record<Kind, Texts>> & CommonTexts

/** Why an order was cancelled, as the texts name it. */
export const cancellations = [
  'onRequest',
  'outOfStock',
  'notDecidedInTime',
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
  /** Pieces of an order that are missing, such as `2 × MUG-BLUE`. */
  pieces?: string
  /** Of a webhook endpoint. */
  url?: string
  /** Why a return was refused, as `return.refused` names it. */
  refusal?: string
  /** The number of an invoice, or that with which a parcel is tracked. */
  number?: string
  /** Who delivers a parcel. */
  carrier?: string
}

/** The reasons that the shop itself gives for a cancellation, by how they begin. */
const reasons: readonly (readonly [begin: string, reason: Cancellation])[] = [
  ['cancelled on request', 'onRequest'],
  ['not enough stock', 'outOfStock'],
  ['not decided in time', 'notDecidedInTime'],
  ['took too long', 'notConfirmedInTime'],
  ['not shipped in time', 'notShippedInTime'],
  ['the account was deleted', 'accountDeleted'],
]

/** Returns what a text says about the reason in `order.cancelled`. Any other than the shop's is the payment provider's. */
export function cancellationFacts(text: string): Facts {
  const reason = reasons.find(([begin]) => text.startsWith(begin))?.[1]
  return reason === undefined ? { reason: 'payment', detail: text } : { reason }
}
