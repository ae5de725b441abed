import { closePdf, openPdf, type Pdf } from '../shared/pdf.ts'
import { factsOf } from './facts.ts'
import type { InvoiceRow } from './invoice.ts'

/** An invoice on paper of the size A4. All lengths are in points. */

const margin = 50
const width = 595.28 - 2 * margin
const bottom = 841.89 - 2 * margin

/** The columns of the lines, with the widths of their texts. */
const columns = [
  ['Description', 165, 'left'],
  ['Qty', 28, 'right'],
  ['Price', 68, 'right'],
  ['Discount', 68, 'right'],
  ['Tax', 36, 'right'],
  ['Net', 65, 'right'],
  ['Gross', 65, 'right'],
] as const

/** Returns the PDF of an invoice. Its text can be selected. The same invoice has the same bytes. */
export function invoicePdf(row: InvoiceRow): Promise<Uint8Array<ArrayBuffer>> {
  const { title, seller, buyer, facts, rows, taxes, net, total, note } = factsOf(row)
  const doc = openPdf({ size: 'A4', title, language: 'en', at: row.issuedAt, margin })
  doc.fontSize(9)
  const top = doc.y
  doc.text(seller.join('\n'), margin, top, { width: width / 2 - 10 })
  const afterSeller = doc.y
  doc.text(buyer.join('\n'), margin + width / 2, top, { width: width / 2 })
  doc.fontSize(16)
  doc.text(title, margin, Math.max(afterSeller, doc.y, top + 70) + 20, { width })
  doc.fontSize(9).moveDown()
  for (const [name, value] of facts) pair(doc, name, value)
  doc.moveDown()

  const head = () => {
    doc.fontSize(8)
    cells(
      doc,
      columns.map(([name]) => name),
    )
  }
  head()
  for (const one of rows) {
    const texts = [one.name, one.quantity, one.unitPrice, one.discount, one.rate, one.net, one.gross]
    if (doc.y + heightOf(doc, texts) > bottom) {
      doc.addPage()
      head()
    }
    cells(doc, texts)
  }
  if (doc.y + (taxes.length + 3) * 16 > bottom) doc.addPage()
  sum(doc, 'Net', net)
  for (const [name, amount] of taxes) sum(doc, name, amount)
  sum(doc, ...total)
  doc.moveDown().text(note, margin, doc.y, { width })
  footers(doc, title)
  return closePdf(doc)
}

/** Writes a name and its value beside it. */
function pair(doc: Pdf, name: string, value: string) {
  const { y } = doc
  doc.text(name, margin, y, { width: 120 })
  doc.text(value, margin + 130, y, { width: width - 130 })
}

const heightOf = (doc: Pdf, texts: readonly string[]) =>
  Math.max(...texts.map((text, i) => doc.heightOfString(text || ' ', { width: columns[i]![1] - 4 }))) + 8

/** Writes one row of the table, and a line below it. */
function cells(doc: Pdf, texts: readonly string[]) {
  const { y } = doc
  const height = heightOf(doc, texts)
  let x = margin
  for (const [i, [, columnWidth, align]] of columns.entries()) {
    const text = texts[i] ?? ''
    if (text !== '') doc.text(text, x + 2, y + 4, { width: columnWidth - 4, align })
    x += columnWidth
  }
  doc
    .moveTo(margin, y + height)
    .lineTo(margin + width, y + height)
    .lineWidth(0.5)
    .stroke('#767676')
    .fillColor('black')
  doc.x = margin
  doc.y = y + height
}

/** Writes an amount below the table. */
function sum(doc: Pdf, name: string, amount: string) {
  const y = doc.y + 4
  doc.text(name, margin, y, { width: width - 110, align: 'right' })
  doc.text(amount, margin + width - 100, y, { width: 98, align: 'right' })
}

/** Writes what it is, and the number of the page, below each page. */
function footers(doc: Pdf, title: string) {
  const { start, count } = doc.bufferedPageRange()
  for (let page = start; page < start + count; page++) {
    doc.switchToPage(page)
    // otherwise text below the margin would begin another page
    doc.page.margins.bottom = 0
    doc.fontSize(8).text(`${title} · page ${page - start + 1} of ${count}`, margin, 841.89 - 35, {
      width,
      align: 'center',
      lineBreak: false,
    })
  }
}
