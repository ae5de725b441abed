import type { OrderAmounts, OrderLine } from './order.ts'
import { amountsOf, withTax, type Priced, type PricedLine } from './pricing.ts'
import type { Missing } from './shortage.ts'

/** What an order costs of which something is left out. Everything here is pure, and all amounts are in minor units. */

/**
 * Leaves out of an order what is missing. The prices, the rates of tax and what the shipping costs stay as they were
 * ordered, and each line keeps the part of its discount that its pieces had.
 * @param missing less than what is ordered; if several lines have a SKU, it is missing in the last of them
 * @throws if the order is of an earlier version, whose amounts are not known
 */
export function withoutMissing(
  { lines, amounts }: { lines: readonly OrderLine[]; amounts: OrderAmounts | null },
  missing: readonly Missing[],
): Omit<Priced, 'total'> {
  if (amounts === null || !lines.every(isPriced))
    throw new Error('the order does not say how its total comes about')
  const left = new Map(missing.map(({ sku, quantity }) => [sku, quantity]))
  const kept = lines.toReversed().flatMap((line) => {
    const less = Math.min(left.get(line.sku) ?? 0, line.quantity)
    left.set(line.sku, (left.get(line.sku) ?? 0) - less)
    return less === line.quantity ? [] : [partOf(line, line.quantity - less, amounts.prices)]
  })
  const remaining = kept.toReversed()
  const discount = remaining.reduce((sum, line) => sum + line.discount, 0)
  const { prices, shipping, coupons } = amounts
  return { lines: remaining, amounts: amountsOf(prices, remaining, shipping, divided(discount, coupons)) }
}

/** Returns a line with fewer pieces, and with their part of its discount. */
function partOf(line: PricedLine, quantity: number, prices: OrderAmounts['prices']): PricedLine {
  if (quantity === line.quantity) return line
  const discount = Math.floor((2 * line.discount * quantity + line.quantity) / (2 * line.quantity))
  const taxed = withTax(quantity * line.unitPrice - discount, line.taxRate, prices)
  return { ...line, quantity, discount, ...taxed }
}

/**
 * Divides a discount over coupons in proportion to what each has given. Parts are rounded down, and the minor units that
 * are left go to the largest remainders.
 */
function divided(discount: number, coupons: OrderAmounts['coupons']): OrderAmounts['coupons'] {
  const all = coupons.reduce((sum, coupon) => sum + coupon.discount, 0)
  if (all === 0) return coupons
  const exact = coupons.map((coupon, i) => ({
    i,
    part: Math.floor((discount * coupon.discount) / all),
    remainder: (discount * coupon.discount) % all,
  }))
  const left = discount - exact.reduce((sum, { part }) => sum + part, 0)
  const more = new Set(
    exact
      .toSorted((a, b) => b.remainder - a.remainder)
      .slice(0, left)
      .map(({ i }) => i),
  )
  return coupons.map(({ code }, i) => ({ code, discount: exact[i]!.part + (more.has(i) ? 1 : 0) }))
}

const isPriced = (line: OrderLine): line is PricedLine =>
  [line.discount, line.net, line.taxRate, line.tax, line.gross].every((amount) => amount !== undefined)
