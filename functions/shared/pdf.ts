import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync } from 'node:zlib'
import Document from 'pdfkit'
import { sans } from './fonts.table.ts'

/** How PDF documents are made. It is loaded only by what makes one. */

export type Pdf = PDFKit.PDFDocument

interface Paper {
  size: 'A4' | 'A6'
  /** What viewers show as its title. */
  title: string
  /** The language of its text, as `en` or `de-AT`, for those who have it read to them. */
  language: string
  /** When the document was made; now if it is not set. With the same time, the same document has the same bytes. */
  at?: Date
  /** The margin on each side, in points (1/72 inch). */
  margin?: number
}

let font: Buffer | undefined

/** Opens a document with one empty page. Its font has Latin, Greek, Cyrillic and other scripts. */
export function openPdf({
  size,
  title,
  language,
  at = new Date(),
  margin = size === 'A4' ? 50 : 20,
}: Paper): Pdf {
  font ??= brotliDecompressSync(Buffer.from(sans, 'base64'))
  return new Document({
    size,
    margin,
    lang: language,
    displayTitle: true,
    pdfVersion: '1.7',
    info: { Title: title, CreationDate: at, ModDate: at },
    // footers are written when the number of pages is known
    bufferPages: true,
    // a font of its own, so that none of the standard fonts, which lack most scripts, is read from a file
    font: font as unknown as string,
  })
}

/** Ends a document. Resolves with its bytes. */
export async function closePdf(doc: Pdf): Promise<Uint8Array<ArrayBuffer>> {
  doc.end()
  return new Uint8Array(await buffer(doc))
}
