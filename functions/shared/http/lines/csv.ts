import { CsvError, parse } from 'csv-parse/sync'
import { Problem } from '../problems.ts'
import type { LineFormat } from './format.ts'

/**
 * A table of comma-separated values (RFC 4180), whose first line names the columns. Unlike there, a record is one line:
 * a quoted value has no line breaks, so that a quote that is missing spoils only its own line. An empty cell is a field
 * that is left out.
 * @param numbers the columns that are numbers
 */
export const csv = (numbers: readonly string[]): LineFormat => ({
  type: 'text/csv',
  open() {
    let columns: string[] | undefined
    return (text) => {
      const cells = cellsOf(text)
      if (columns === undefined) {
        columns = cells.map((cell) => cell.trim())
        return undefined
      }
      if (cells.length > columns.length)
        throw faulty(`has ${cells.length} values, but the first line names ${columns.length} columns`)
      const named = columns.map((column, i): [string, string] => [column, cells[i] ?? ''])
      return Object.fromEntries(
        named
          .filter(([, cell]) => cell !== '')
          .map(([column, cell]) => [column, numbers.includes(column) ? numberIn(cell) : cell]),
      )
    }
  },
})

/** Returns the values of a line. */
function cellsOf(text: string): string[] {
  try {
    const [cells = []] = parse(text, { relax_column_count: true })
    return cells
  } catch (error) {
    if (error instanceof CsvError)
      throw faulty('is not valid CSV: a value with a quote in it needs quotes around it')
    throw error
  }
}

/** Returns the number that a cell contains, or the cell, which the schema then refuses. */
const numberIn = (cell: string) => (/^\s*[-+]?\d+(?:\.\d+)?\s*$/.test(cell) ? Number(cell) : cell)

const faulty = (what: string) =>
  new Problem('invalid-request', {
    detail: `The line ${what}.`,
    errors: [{ pointer: '/line', detail: what }],
  })
