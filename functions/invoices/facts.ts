import { formatMoney } from '../shared/schemas/money.ts'
import { kindOf, type InvoiceRow } from './invoice.ts'

/** What the HTML and the PDF of an invoice show, as text. Everything here is pure. */

/** Returns the texts of an invoice, in the order in which they are read. */
export function factsOf(row: InvoiceRow) {
  const { content, number, issuedAt, orderId, series } = row
  const { currency, seller, buyer, lines, shipping, corrects } = content
  const money = (amount: number) => formatMoney({ amount, currency })
  const isInvoice = kindOf(series) === 'invoice'
  const rows = lines.map(({ name, sku, quantity, unitPrice, discount, taxRate, net, gross }) => ({
    name: sku === null ? name : `${name} (${sku})`,
    quantity: String(quantity),
    unitPrice: unitPrice === null ? '' : money(unitPrice),
    discount: discount === 0 ? '' : `−${money(discount)}`,
    rate: percent(taxRate),
    net: money(net),
    gross: money(gross),
  }))
  const shipped = shipping && {
    name: `Shipping: ${shipping.name}`,
    quantity: '1',
    unitPrice: '',
    discount: '',
    rate: percent(shipping.taxRate),
    net: money(shipping.net),
    gross: money(shipping.gross),
  }
  return {
    title: `${isInvoice ? 'Invoice' : 'Credit note'} ${number}`,
    seller: [seller.name, seller.address, `Tax number ${seller.taxId}`],
    buyer:
      buyer === null ? [] : [buyer.name, buyer.street, `${buyer.postalCode} ${buyer.city}`, buyer.country],
    facts: [
      [isInvoice ? 'Invoice number' : 'Credit note number', number],
      ['Date', day(issuedAt.toISOString())],
      ...(corrects.length === 0 ? [] : [['Corrects', corrects.join(', ')] as const]),
      ['Order', orderId],
      ['Ordered on', day(content.placedAt)],
      ['Shipped on', day(content.suppliedAt)],
    ] as (readonly [name: string, value: string])[],
    rows: shipped === null ? rows : [...rows, shipped],
    taxes: content.taxes.map(({ taxRate, net, tax }) => [
      `${percent(taxRate)} tax on ${money(net)}`,
      money(tax),
    ]) as [string, string][],
    net: money(content.net),
    total: [isInvoice ? 'Total, paid' : 'Total, refunded', money(content.gross)] as const,
    note:
      content.prices === 'gross'
        ? 'Prices and discounts include tax.'
        : 'Prices and discounts are without tax.',
  }
}

/** Returns a rate in hundredths of a percent, such as `5.5 %`. */
const percent = (rate: number) => `${rate / 100} %`

/** Returns the day of a time, in UTC. */
const day = (time: string) => time.slice(0, 10)
