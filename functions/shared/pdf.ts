import { brotliDecompressSync } from 'node:zlib'
import PDFDocument from 'pdfkit'
import { sans } from './fonts.table.ts'

export type PdfDocument = PDFKit.PDFDocument

interface PdfOptions {
  size: 'A4' | 'A6'
  /** What viewers show as its title. */
  title: string
  /** The language of its text, as `en` or `de-AT`, for those who have it read to them. */
  language: string
  /** The margin on each side, in points (1/72 inch). */
  margin?: number
}

/** Returns an empty document with its first page. Its font has Latin, Greek, Cyrillic and other scripts. */
export function openPdf({ size, title, language, margin = size === 'A4' ? 56 : 20 }: PdfOptions): PdfDocument {
  return new PDFDocument({
    size,
    margin,
    lang: language,
    displayTitle: true,
    info: { Title: title },
    // a font of its own, so that none of the standard fonts, which lack most scripts, is read from a file
    font: brotliDecompressSync(Buffer.from(sans, 'base64')) as unknown as string,
  })
}

/** Ends a document. Resolves with its bytes. */
export async function closePdf(document: PdfDocument): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = []
  const ended = new Promise<void>((resolve, reject) => {
    document.on('data', (part: Buffer) => parts.push(part))
    document.on('end', resolve)
    document.on('error', reject)
  })
  document.end()
  await ended
  return new Uint8Array(Buffer.concat(parts))
}
