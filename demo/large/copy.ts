import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { getTableColumns } from 'drizzle-orm'
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'

/** How many characters are sent at once. */
const chunk = 64 * 1024

/**
 * Copies rows into a table (PostgreSQL: COPY, text format).
 * @param rows all with the same fields as the first
 */
export async function copyRows<T extends PgTable>(
  sql: postgres.Sql | postgres.TransactionSql,
  table: T,
  rows: readonly T['$inferInsert'][],
): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const { schema, name } = getTableConfig(table)
  const known = getTableColumns(table)
  const fields = Object.keys(first)
  const columns = fields.map((field) => `"${known[field]!.name}"`).join(', ')
  const copying = await sql.unsafe(`copy "${schema}"."${name}" (${columns}) from stdin`).writable()
  await pipeline(Readable.from(textOf(fields, rows)), copying)
}

function* textOf(fields: readonly string[], rows: Iterable<object>): Generator<string> {
  let text = ''
  for (const row of rows) {
    text += `${fields.map((field) => valueOf((row as Record<string, unknown>)[field])).join('\t')}\n`
    if (text.length < chunk) continue
    yield text
    text = ''
  }
  yield text
}

const escapes: Record<string, string> = {
  '\\': String.raw`\\`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
}

/** Returns a value in the text format of COPY. */
export function valueOf(value: unknown): string {
  if (value === null || value === undefined) return String.raw`\N`
  if (value instanceof Date) return value.toISOString()
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replaceAll(/[\\\t\n\r]/g, (found) => escapes[found]!)
}
