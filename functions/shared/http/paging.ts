import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { Context } from 'hono'
import { Problem } from './problems.ts'

/** The query parameters of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ type: 'integer', minimum: 1, maximum: 100 }),
  cursor: z
    .string()
    .max(1_500)
    .optional()
    .meta({ description: 'Opaque: the `next` of the previous page, with the same sort and filters.' }),
})

declare module 'hono' {
  interface ContextVariableMap {
    /** The `Link` header of the answer. */
    link: string | undefined
  }
}

/** Returns the schema of a page of items; `name` is its name in the OpenAPI document. */
export const pageOf = <T extends z.ZodType>(item: T, name: string) =>
  z.object({ items: z.array(item), next: z.string().optional() }).meta({ id: name })

/**
 * Returns one page of rows that were read with `limit + 1`. If there is a next page, it also sets `link`,
 * the answer's `Link` header (RFC 8288). A cursor also holds a digest of its list, sort and filters.
 * @param position returns what a cursor holds of the last row: its position in the order of the list
 */
export function page<T>(c: Context, rows: T[], limit: number, position: (row: T) => CursorValue[]) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  if (rows.length <= limit || last === undefined) return { items }
  const next = Buffer.from(JSON.stringify([listOf(c), ...position(last)])).toString('base64url')
  const url = new URL(c.req.url)
  url.searchParams.set('cursor', next)
  c.set('link', `<${url.pathname}${url.search}>; rel="next"`)
  return { items, next }
}

/** Returns a digest of the list that a request reads: its operation, path, sort and filters, as validated. */
function listOf(c: Context): string {
  const { params, query } = c.get('call')
  const { limit: _, cursor: __, ...rest } = query as Record<string, unknown>
  const sorted = Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([c.get('operation'), params, sorted]))
    .digest('base64url')
    .slice(0, 22)
}

export type CursorValue = string | number

const Uuid = z.uuid().lowercase()

/** Checks of a cursor's values. PostgreSQL would fail on a forged text or UUID. */
const isA = {
  string: (value: unknown) => typeof value === 'string' && !value.includes('\0'),
  number: (value: unknown) => typeof value === 'number',
  uuid: (value: unknown) => Uuid.safeParse(value).success,
}

/**
 * Returns the position that a cursor holds; undefined if there is no cursor.
 * @param types the types of the cursor's values
 * @throws Problem 400 if it is not a cursor of this list, sort and filters
 */
export function readCursor<const T extends (keyof typeof isA)[]>(
  c: Context,
  cursor: string | undefined,
  ...types: T
) {
  if (cursor === undefined) return undefined
  try {
    const [list, ...values] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (
      list === listOf(c) &&
      values.length === types.length &&
      types.every((type, i) => isA[type](values[i]))
    )
      return values as { [K in keyof T]: T[K] extends 'number' ? number : string }
  } catch {
    // reported below
  }
  throw new Problem('invalid-request', {
    detail: 'The cursor is of another list, sort or filter: start again without it.',
    errors: [{ pointer: '/query/cursor', detail: 'not a cursor of this list, sort and filters' }],
  })
}
