/** What the metrics of the shop need to know of an order. */

/** Returns how long ago an order was placed, in seconds. Its id is a UUIDv7, which begins with the time in ms. */
export const sincePlaced = (orderId: string): number =>
  Math.max(0, Date.now() - Number.parseInt(orderId.replace('-', '').slice(0, 12), 16)) / 1000

/** The reasons that the shop itself gives, by how they begin. */
const classes: readonly (readonly [begin: string, reason: string])[] = [
  ['cancelled on request', 'on-request'],
  ['not enough stock', 'out-of-stock'],
  ['not decided in time', 'not-decided-in-time'],
  ['took too long', 'not-confirmed-in-time'],
  ['not shipped in time', 'not-shipped-in-time'],
  ['the account was deleted', 'account-deleted'],
  ['the customer was deleted', 'account-deleted'],
]

/** Returns the class of a reason for which an order was cancelled. Any other comes from the payment provider. */
export const reasonClass = (reason: string): string =>
  classes.find(([begin]) => reason.startsWith(begin))?.[1] ?? 'payment'
