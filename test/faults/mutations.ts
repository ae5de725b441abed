import type { InvariantName } from './checker.ts'

/** A deliberately broken build, and the invariant by which the checker must find it. */
export interface Mutation {
  name: string
  breaks: InvariantName
  /** A part of the violation's message. */
  sees: string
  /** Set if the bug shows only after an order has waited past its deadline. */
  waits?: true
  file: string
  find: string
  replace: string
}

/** The folder of a broken build. */
export const folderOf = ({ name }: Mutation) => name.replaceAll(/\W+/g, '-')

export const mutations: Mutation[] = [
  {
    name: 'released stock is not given back',
    breaks: 'I1',
    sees: 'reserved, but its',
    file: 'functions/stock/release-stock.ts',
    find: 'saveAccounts(tx, accounts, lowAt),',
    replace: '',
  },
  {
    name: 'one cent is refunded, whatever was asked for',
    breaks: 'I2',
    sees: 'is kept of',
    file: 'functions/payments/ask.ts',
    find: "provider.refund(payment.providerId ?? '', refund.amount,",
    replace: "provider.refund(payment.providerId ?? '', 1,",
  },
  {
    name: 'a declined card cancels nothing',
    breaks: 'I3',
    sees: 'is still',
    file: 'functions/orders/abort-order.ts',
    find: 'await once(async (tx) => {',
    replace: 'await once(async (tx) => { return;',
  },
  {
    name: 'no order is cancelled at its deadline',
    breaks: 'I3',
    sees: 'is still',
    waits: true,
    file: 'functions/orders/expire-order.ts',
    find: 'missedBy(row, data.milestone, await timeOf(tx))',
    replace: 'undefined',
  },
  {
    name: 'a reaction does not ask whether it has done an event',
    breaks: 'I4',
    sees: 'more than once',
    file: 'events/reaction.ts',
    find: 'if (count === 0) throw new AlreadyHandled()',
    replace: 'if (count < events.length) return',
  },
  {
    name: 'an order is accepted and not written',
    breaks: 'I5',
    sees: 'was accepted but does not exist',
    file: 'functions/shared/store/transaction.ts',
    find: 'await write(kept)',
    replace: 'void kept',
  },
  {
    name: 'the kept answer is given with a blank more',
    breaks: 'I6',
    sees: 'has 2 different responses',
    file: 'functions/shared/store/idempotency.ts',
    find: 'return new Response(body,',
    replace: 'return new Response(`${body} `,',
  },
  {
    name: 'a void is not asked for',
    breaks: 'I8',
    sees: 'captures and 0 voids',
    file: 'functions/payments/ask.ts',
    find: 'return outcome(await provider.void(known.id, `void:${payment.id}`))',
    replace: "return { status: 'voided', id: known.id, reason: null }",
  },
  {
    name: 'a cancelled order keeps its coupon',
    breaks: 'I9',
    sees: 'is not given back',
    file: 'functions/coupons/redemption.ts',
    find: "confirmed: { cancel: 'returned' }",
    replace: 'confirmed: {}',
  },
  {
    name: 'a rating counts each review as one star',
    breaks: 'I10',
    sees: 'MUG-BLUE is rated 1 stars of 1 reviews, but its 1 reviews have 4',
    file: 'functions/products/review-store.ts',
    find: "$sum: '$stars'",
    replace: '$sum: 1',
  },
  {
    name: 'a cent more than a parcel costs is captured',
    breaks: 'I11',
    sees: 'is captured for it',
    file: 'functions/payments/capture-payment.ts',
    find: 'Math.min(amount ?? left, left)',
    replace: 'Math.min(1 + (amount ?? left), left)',
  },
  {
    name: 'an invoice takes a number that nobody sees',
    breaks: 'I12',
    sees: 'is missing before',
    file: 'functions/invoices/invoice.ts',
    find: 'seq: last.last + 1',
    replace: 'seq: last.last + 2',
  },
  {
    name: 'what is left out of an order is charged all the same',
    breaks: 'I13',
    sees: 'was reduced to',
    file: 'functions/orders/shortages.ts',
    find: 'totalAmount: amounts.gross,',
    replace: 'totalAmount: row.totalAmount,',
  },
]
