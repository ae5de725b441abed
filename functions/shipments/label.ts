import type { Address } from '../shared/schemas/schemas.ts'
import { closePdf, openPdf } from '../shared/pdf.ts'

export interface Label {
  orderId: string
  parcelId: string
  /** The order has its parcel's number once that is shipped. */
  number: number | null
  carrier: string | null
  trackingNumber: string | null
  to: Address
  pieces: number
}

/** The sizes of texts, in points. */
const size = { small: 8, usual: 11, large: 15 } as const

/** Makes the label of a parcel: one page of A6 with the address, and by what the parcel is known. */
export async function labelOf(label: Label): Promise<Uint8Array<ArrayBuffer>> {
  const { to } = label
  const pdf = openPdf({ size: 'A6', title: `Parcel of order ${label.orderId}`, language: 'en' })
  const { width, height, margins } = pdf.page
  // a long address is cut off rather than continued on a second page
  const lines = { width: width - margins.left - margins.right, ellipsis: true, lineBreak: true }
  pdf.fontSize(size.small).text('TO', lines).moveDown(0.5)
  pdf.fontSize(size.large)
  for (const line of [to.name, to.street, `${to.postalCode} ${to.city}`])
    pdf.text(line, { ...lines, height: 54 })
  pdf.text(countryName(to.country), lines)
  const top = height - margins.bottom - 96
  pdf
    .moveTo(margins.left, top)
    .lineTo(width - margins.right, top)
    .lineWidth(0.5)
    .stroke()
  pdf.fontSize(size.usual)
  pdf.text(
    label.trackingNumber === null ? ' ' : `${label.carrier} ${label.trackingNumber}`,
    margins.left,
    top + 8,
    {
      ...lines,
      height: 28,
    },
  )
  pdf.fontSize(size.small)
  for (const line of [
    label.number === null ? 'Parcel' : `Parcel ${label.number}`,
    `Order ${label.orderId}`,
    `Parcel id ${label.parcelId}`,
    label.pieces === 1 ? '1 piece' : `${label.pieces} pieces`,
  ])
    pdf.text(line, lines)
  return closePdf(pdf)
}

/** Carriers want the country of destination in capitals, in a language of theirs (UPU S42). */
const countryName = (code: string) =>
  (new Intl.DisplayNames('en', { type: 'region' }).of(code) ?? code).toUpperCase()
