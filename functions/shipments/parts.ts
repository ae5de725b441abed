/** How the amounts of an order's lines are divided over its parcels. Everything here is pure, in minor units. */

/** What a customer pays for some pieces. `gross` is always `net + tax`. */
export interface Part {
  /** What coupons have taken off before the tax. */
  discount: number
  net: number
  /** In hundredths of a percent. */
  taxRate: number
  tax: number
  gross: number
}

/**
 * Returns what is paid for the next pieces of a line. The parts of a line add up to it exactly, in whatever parts it is
 * shipped: each is the rounded amount of all pieces up to its last, less that of the pieces before.
 * @param before how many pieces of the line were shipped before
 */
export function partOf(
  { quantity: all, ...line }: { quantity: number } & Part,
  before: number,
  quantity: number,
): Part {
  const share = (amount: number) => upTo(amount, before + quantity, all) - upTo(amount, before, all)
  const [net, tax] = [share(line.net), share(line.tax)]
  return { discount: share(line.discount), net, taxRate: line.taxRate, tax, gross: net + tax }
}

/** Returns the amount of the first pieces, rounded half up. Below 2^53 for the largest lines. */
const upTo = (amount: number, pieces: number, all: number) =>
  Math.floor((2 * amount * pieces + all) / (2 * all))
