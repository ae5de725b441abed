import { apportion } from '../shared/apportion.ts'
import type { Bill } from '../shared/schemas/bill.ts'
import type { Taxed } from '../shared/schemas/taxed.ts'
import type { InvoiceContent, InvoiceLine, ReturnedLine, Seller, TaxSum } from './invoice.ts'

/** What invoices and credit notes state, and how their amounts come about. Everything here is pure. */

/** Adds up amounts by their rates, highest first. */
export function taxSums(parts: readonly Taxed[]): TaxSum[] {
  const sums = new Map<number, TaxSum>()
  for (const { net, taxRate, tax, gross } of parts) {
    const sum = sums.get(taxRate) ?? { net: 0, taxRate, tax: 0, gross: 0 }
    sums.set(taxRate, { net: sum.net + net, taxRate, tax: sum.tax + tax, gross: sum.gross + gross })
  }
  return [...sums.values()].toSorted((a, b) => b.taxRate - a.taxRate)
}

const sumOf = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((sum, item) => sum + of(item), 0)

const totals = (parts: readonly Taxed[]) => ({
  taxes: taxSums(parts),
  net: sumOf(parts, ({ net }) => net),
  tax: sumOf(parts, ({ tax }) => tax),
  gross: sumOf(parts, ({ gross }) => gross),
})

/** What one capture pays for. */
export type Charged = Pick<InvoiceContent, 'lines' | 'shipping'>

/** Returns what the capture of an order's whole total pays for: all of its lines, and the shipping. */
export const chargedFor = ({ lines, shipping }: Bill): Charged => ({ lines, shipping })

/** Returns what the invoice of a capture states. */
export function invoiceOf(bill: Bill, { lines, shipping }: Charged, seller: Seller): InvoiceContent {
  const { address, currency, prices, placedAt, shippedAt } = bill
  return {
    seller,
    buyer: address,
    currency,
    prices,
    placedAt,
    suppliedAt: shippedAt,
    lines,
    shipping,
    ...totals(shipping === null ? lines : [...lines, shipping]),
    corrects: [],
    returnId: null,
  }
}

/** What has been invoiced and credited for a payment before a refund. */
export interface Books {
  invoices: readonly { number: string; content: InvoiceContent }[]
  creditNotes: readonly { content: InvoiceContent }[]
}

/** What is refunded, and the return that it is for, if it is for one. */
export interface Refunded {
  amount: number
  returned?: { id: string; lines: readonly ReturnedLine[] } | undefined
}

/**
 * Returns what the credit note of a refund states: the lines of the return that it is for, or else the amount, divided
 * over the tax rates of what has not been credited yet.
 * @param books with at least one invoice
 */
export function creditNoteOf(books: Books, { amount, returned }: Refunded, seller: Seller): InvoiceContent {
  const { content: first } = books.invoices[0]!
  const isWhole = returned !== undefined && sumOf(returned.lines, ({ gross }) => gross) === amount
  const lines = isWhole ? linesOf(returned.lines, books) : dividedOverRates(amount, books)
  const { buyer, currency, prices, placedAt, suppliedAt } = first
  return {
    seller,
    buyer,
    currency,
    prices,
    placedAt,
    suppliedAt,
    lines,
    shipping: null,
    ...totals(lines),
    corrects: books.invoices.map(({ number }) => number),
    returnId: returned?.id ?? null,
  }
}

/** Returns the lines of a return, with the names of the invoice. */
function linesOf(returned: readonly ReturnedLine[], { invoices }: Books): InvoiceLine[] {
  const names = new Map(
    invoices.flatMap(({ content }) => content.lines.map(({ sku, name }) => [sku, name] as const)),
  )
  return returned.map(({ sku, quantity, net, taxRate, tax, gross }) => ({
    sku,
    name: names.get(sku) ?? sku,
    quantity,
    unitPrice: null,
    discount: 0,
    net,
    taxRate,
    tax,
    gross,
  }))
}

/**
 * Divides a refund over the rates, in proportion to what is left of each. What is refunded last gets all that is left,
 * so that no minor unit of tax is lost, however the refunds are cut.
 */
function dividedOverRates(amount: number, { invoices, creditNotes }: Books): InvoiceLine[] {
  const left = leftOf(
    taxSums(invoices.flatMap(({ content }) => content.taxes)),
    taxSums(creditNotes.flatMap(({ content }) => content.taxes)),
  )
  const parts = apportion(
    amount,
    left.map(({ gross }) => gross),
  )
  return left.flatMap(({ taxRate, tax: of, gross: all }, i) => {
    const gross = parts[i]!
    if (gross === 0) return []
    const tax = shareOf(of, gross, all)
    const line = { sku: null, name: 'Refund', quantity: 1, unitPrice: null, discount: 0 }
    return [{ ...line, net: gross - tax, taxRate, tax, gross }]
  })
}

/** Returns what is left of each rate. It is never less than nothing. */
const leftOf = (invoiced: readonly TaxSum[], credited: readonly TaxSum[]): TaxSum[] =>
  invoiced.map(({ taxRate, tax, gross }) => {
    const less = credited.find((one) => one.taxRate === taxRate)
    const left = Math.max(0, gross - (less?.gross ?? 0))
    const leftTax = Math.min(left, Math.max(0, tax - (less?.tax ?? 0)))
    return { net: left - leftTax, taxRate, tax: leftTax, gross: left }
  })

/** Returns the part of an amount in proportion, rounded half up. */
const shareOf = (amount: number, part: number, whole: number) =>
  Number((2n * BigInt(amount) * BigInt(part) + BigInt(whole)) / (2n * BigInt(whole)))
