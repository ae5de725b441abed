import { createHash } from 'node:crypto'
import { nextPlace, numberOf, type InvoiceRow } from './invoice.ts'

/**
 * The chain of hashes: each invoice has the SHA-256 of all that it states and of the hash before it in its series. So
 * none can be changed, removed or added in between without it being noticed. Everything here is pure.
 */

/** Returns a value as JSON without spaces, with its fields in the order of their names, as RFC 8785 does. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`
}

/** Returns the hash of an invoice, in hexadecimal digits. It covers every column but the hash itself. */
export const hashOf = (row: Omit<InvoiceRow, 'hash'>): string =>
  createHash('sha256')
    .update(canonical({ ...row, issuedAt: row.issuedAt.toISOString(), hash: undefined }))
    .digest('hex')

/**
 * Returns what is wrong with an invoice.
 * @param before the one before in its series; undefined if there is none
 */
export function faultsOf(row: InvoiceRow, before: InvoiceRow | undefined): string[] {
  const { number, series, year, seq, issuedAt } = row
  const expected = nextPlace(before && { year: before.year, last: before.seq }, issuedAt)
  return [
    ...(hashOf(row) === row.hash ? [] : [`${number} was changed after it was issued`]),
    ...(row.previousHash === (before?.hash ?? '')
      ? []
      : [`${number} does not follow ${before?.number ?? 'nothing'}`]),
    ...(number === numberOf(series, year, seq) ? [] : [`${number} has the place of another number`]),
    ...(expected.year === year && expected.seq === seq
      ? []
      : [`${numberOf(series, expected.year, expected.seq)} is missing before ${number}`]),
  ]
}

/** Returns what is wrong in a series, whose invoices are given in the order in which they were issued. */
export const faultsIn = (rows: readonly InvoiceRow[]): string[] =>
  rows.flatMap((row, i) => faultsOf(row, rows[i - 1]))
