import { formatMoney } from '../shared/schemas/money.ts'
import type { Money } from '../shared/schemas/schemas.ts'
import type { TaxClass } from '../shared/schemas/tax-class.ts'
import type { OrderAmounts, OrderLine } from './order.ts'
import type { PriceKind } from './price-kinds.ts'
import { rateOf, shippingPrice } from './tariff.ts'
import type { Tariff } from './tariffs.ts'

/**
 * How an order is priced: its goods, discounts, tax and shipping. Everything here is pure, and all amounts are in minor
 * units. docs/domains/orders.md has the rules with worked examples.
 */

/** The product fields that pricing needs. */
export interface Price {
  sku: string
  name: string
  priceAmount: number
  currency: string
  weightGrams: number
  taxClass: TaxClass
}

/** What the customer asked for, and what they expect it to cost. */
export interface Wanted {
  lines: readonly { sku: string; quantity: number; unitPrice?: number | undefined }[]
  /** If it is set, the products must have this currency. */
  currency?: string | undefined
  expectedTotal?: Money | undefined
  shippingMethod?: string | undefined
}

export interface Refusal {
  refused:
    | 'unknown-sku'
    | 'mixed-currencies'
    | 'order-too-large'
    | 'price-changed'
    | 'unknown-shipping-method'
    | 'shipping-not-available'
  detail: string
  errors: { pointer: string; detail: string }[]
  /** What it would cost now, if that is not what the customer expects. */
  current?: { lines: { sku: string; unitPrice: number }[]; total: Money }
}

/** The lines of a new order at the current prices, before discounts and tax. */
export interface Goods {
  lines: (Pick<OrderLine, 'sku' | 'name' | 'quantity' | 'unitPrice'> & {
    grams: number
    taxClass: TaxClass
  })[]
  currency: string
}

/** What the prices of an order depend on besides its goods. */
export interface Terms extends Tariff {
  /** Whether prices include tax. */
  prices: PriceKind
  /** Where it is delivered. */
  country: string
  /** When it is placed, as `2027-01-01` in UTC. */
  day: string
}

/** A coupon, and what it takes off each line, in the sequence of the lines. */
export interface Discount {
  code: string
  discounts: readonly number[]
}

/** An amount with and without tax. `gross` is always `net + tax`. */
export interface Taxed {
  net: number
  /** In hundredths of a percent. */
  taxRate: number
  tax: number
  gross: number
}

/** A line with its amounts. `discount` is taken off `quantity` times `unitPrice` before the tax is computed. */
export type PricedLine = Pick<OrderLine, 'sku' | 'name' | 'quantity' | 'unitPrice'> & {
  discount: number
} & Taxed

export interface Priced {
  lines: PricedLine[]
  amounts: OrderAmounts
  total: Money
}

/** Returns how many pieces an order has. */
export const piecesOf = (lines: readonly { quantity: number }[]) =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0)

/** The largest total of one order. Up to it, all calculations are exact. */
const maxTotal = 1_000_000_000

/**
 * Finds the goods of a new order, in the sequence of the request. Several lines may have the same SKU.
 * @returns the goods at their prices, or why the order is rejected
 */
export function goodsOf(wanted: Wanted, prices: ReadonlyMap<string, Price>): Goods | Refusal {
  const lines: Goods['lines'] = []
  const currencies = new Set<string>(wanted.currency === undefined ? [] : [wanted.currency])
  for (const [i, { sku, quantity }] of wanted.lines.entries()) {
    const price = prices.get(sku)
    if (price === undefined)
      return refuse('unknown-sku', `/body/lines/${i}/sku`, `There is no product ${sku}.`)
    currencies.add(price.currency)
    if (currencies.size > 1)
      return refuse(
        'mixed-currencies',
        `/body/lines/${i}/sku`,
        `An order is in one currency, and this would be in ${[...currencies].join(' and ')}.`,
      )
    const { name, priceAmount: unitPrice, weightGrams, taxClass } = price
    lines.push({ sku, name, quantity, unitPrice, grams: quantity * weightGrams, taxClass })
  }
  if (sumOf(lines, amountOf) > maxTotal) return tooLarge()
  return { lines, currency: [...currencies][0]! }
}

/**
 * Prices an order: takes discounts off its lines, and adds shipping and tax.
 * @param discounts of coupons; together at most what each line costs
 * @returns the priced lines and the amounts of the whole order, or why it is rejected
 */
export function priceOrder(
  wanted: Wanted,
  goods: Goods,
  terms: Terms,
  discounts: readonly Discount[] = [],
): Priced | Refusal {
  const { currency } = goods
  const { prices, country, day } = terms
  const rate = (taxClass: TaxClass) => rateOf(terms.rates, country, taxClass, day)
  const lines = goods.lines.map((line, i): PricedLine => {
    const discount = sumOf(discounts, (coupon) => coupon.discounts[i]!)
    const { sku, name, quantity, unitPrice } = line
    const taxed = withTax(amountOf(line) - discount, rate(line.taxClass), prices)
    return { sku, name, quantity, unitPrice, discount, ...taxed }
  })
  const paid = sumOf(goods.lines, amountOf) - sumOf(lines, ({ discount }) => discount)
  const method = shippingOf(wanted, terms, {
    grams: sumOf(goods.lines, (l) => l.grams),
    amount: paid,
    currency,
  })
  if ('refused' in method) return method
  const shipping = { ...method.named, ...withTax(method.price, rate('standard'), prices) }
  const coupons = discounts.map(({ code, discounts: off }) => ({
    code,
    discount: sumOf(off, (amount) => amount),
  }))
  const amounts = amountsOf(prices, lines, shipping, coupons)
  if (amounts.gross > maxTotal) return tooLarge()
  const total = { amount: amounts.gross, currency }
  return otherThanExpected(wanted, lines, total) ?? { lines, amounts, total }
}

/** Returns the amounts that `order.placed` and `order.reduced` tell. */
export const placedAmounts = ({ lines, amounts: { prices, shipping } }: Omit<Priced, 'total'>) => ({
  lines: lines.map(({ sku, quantity, unitPrice, discount, ...line }) => ({
    sku,
    quantity,
    unitPrice,
    discount,
    ...taxedOf(line),
  })),
  prices,
  shipping: taxedOf(shipping),
})

const taxedOf = ({ net, taxRate, tax, gross }: Taxed): Taxed => ({ net, taxRate, tax, gross })

const amountOf = ({ quantity, unitPrice }: Pick<OrderLine, 'quantity' | 'unitPrice'>) => quantity * unitPrice

/**
 * Splits an amount into net and tax, or adds the tax. The tax is rounded half away from zero.
 * @param taxRate in hundredths of a percent
 * @param prices whether the amount includes the tax
 */
export function withTax(amount: number, taxRate: number, prices: PriceKind): Taxed {
  const included = prices === 'gross'
  const tax = divide(amount * taxRate, 10_000 + (included ? taxRate : 0))
  return included
    ? { net: amount - tax, taxRate, tax, gross: amount }
    : { net: amount, taxRate, tax, gross: amount + tax }
}

/** Divides whole numbers that are not negative, and rounds half up, which is away from zero. */
const divide = (dividend: number, divisor: number) => Math.floor((2 * dividend + divisor) / (2 * divisor))

/** Returns the method of shipping and its price, or why the order cannot be shipped so. */
function shippingOf(
  { shippingMethod: id }: Wanted,
  { shippingMethods }: Tariff,
  order: { grams: number; amount: number; currency: string },
) {
  const method = shippingMethods.find((one) => (id === undefined ? one.isDefault : one.id === id))
  const pointer = '/body/shippingMethod'
  if (method === undefined)
    return refuse(
      'unknown-shipping-method',
      pointer,
      id === undefined
        ? 'The order must say how it is shipped: the shop has no default.'
        : `There is no shipping method ${id}. GET /api/v1/shipping-methods lists those that there are.`,
    )
  const price = shippingPrice(method, order)
  const named = { method: method.id, name: method.name }
  if (price !== undefined) return { named, price }
  return refuse(
    'shipping-not-available',
    pointer,
    method.currency !== null && method.currency !== order.currency
      ? `${method.name} is for orders in ${method.currency}, and this one is in ${order.currency}.`
      : method.basis === 'weight'
        ? `${method.name} does not take ${order.grams} g.`
        : `${method.name} does not take an order of ${formatMoney(order)}.`,
  )
}

/** Adds up the amounts of an order. */
export function amountsOf(
  prices: PriceKind,
  lines: readonly PricedLine[],
  shipping: OrderAmounts['shipping'],
  coupons: OrderAmounts['coupons'],
): OrderAmounts {
  const parts: Taxed[] = [...lines, shipping]
  const taxes = new Map<number, { taxRate: number; net: number; tax: number }>()
  for (const { taxRate, net, tax } of parts) {
    const sum = taxes.get(taxRate) ?? { taxRate, net: 0, tax: 0 }
    taxes.set(taxRate, { taxRate, net: sum.net + net, tax: sum.tax + tax })
  }
  return {
    prices,
    discount: sumOf(lines, ({ discount }) => discount),
    net: sumOf(parts, ({ net }) => net),
    tax: sumOf(parts, ({ tax }) => tax),
    gross: sumOf(parts, ({ gross }) => gross),
    shipping,
    taxes: [...taxes.values()].toSorted((a, b) => b.taxRate - a.taxRate),
    coupons,
  }
}

const sumOf = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((sum, item) => sum + of(item), 0)

const refuse = (refused: Refusal['refused'], pointer: string, detail: string): Refusal => ({
  refused,
  detail,
  errors: [{ pointer, detail }],
})

const tooLarge = () =>
  refuse('order-too-large', '/body/lines', `One order is at most ${maxTotal} minor units.`)

/** Returns the refusal of an order that would cost something else than the customer expects. */
function otherThanExpected(
  { lines: wanted, expectedTotal }: Wanted,
  lines: PricedLine[],
  total: Money,
): Refusal | undefined {
  const inMoney = (amount: number) => formatMoney({ amount, currency: total.currency })
  const errors = wanted.flatMap(({ sku, unitPrice }, i) => {
    const now = lines[i]!.unitPrice
    if (unitPrice === undefined || unitPrice === now) return []
    return [{ pointer: `/body/lines/${i}/unitPrice`, detail: `${sku} costs ${inMoney(now)} now` }]
  })
  if (
    expectedTotal !== undefined &&
    (expectedTotal.amount !== total.amount || expectedTotal.currency !== total.currency)
  )
    errors.push({ pointer: '/body/expectedTotal', detail: `the total is ${inMoney(total.amount)} now` })
  if (errors.length === 0) return undefined
  return {
    refused: 'price-changed',
    detail: `The order would cost ${inMoney(total.amount)}. Show the customer the current prices and send those.`,
    errors,
    current: { lines: lines.map(({ sku, unitPrice }) => ({ sku, unitPrice })), total },
  }
}
