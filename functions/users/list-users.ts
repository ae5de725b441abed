import type * as z from 'zod'
import { and, asc, desc, eq, ilike, isNull, or, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, readCursor } from '../shared/http/paging.ts'
import { inOrder, toUser, UserPage, UserQuery, users } from './user.ts'

const columns = { id: users.id, email: users.email, name: inOrder(users.name) }

/**
 * The column and direction of each sort. The id breaks ties; as a UUIDv7 it sorts by the time of creation.
 */
const sorts = {
  createdAt: ['id', asc, '>'],
  '-createdAt': ['id', desc, '<'],
  email: ['email', asc, '>'],
  '-email': ['email', desc, '<'],
  name: ['name', asc, '>'],
  '-name': ['name', desc, '<'],
} as const satisfies Record<z.output<typeof UserQuery>['sort'], unknown>

export const listUsers = operation(
  'list-users',
  { request: { query: UserQuery }, responses: { 200: UserPage }, headers: ['Link'] },
  async ({ query: { role, q, sort, limit, cursor }, json, hono }, { db }) => {
    const [field, direction, beyond] = sorts[sort]
    const after = readCursor(hono, cursor, field === 'id' ? 'uuid' : 'string', 'uuid')
    const pattern = `%${q?.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`

    const rows = await db
      .select()
      .from(users)
      .where(
        and(
          isNull(users.deletedAt),
          role && eq(users.role, role),
          q === undefined ? undefined : or(ilike(users.name, pattern), ilike(users.email, pattern)),
          after && sql`(${columns[field]}, ${users.id}) ${sql.raw(beyond)} (${after[0]}, ${after[1]})`,
        ),
      )
      .orderBy(direction(columns[field]), direction(users.id))
      .limit(limit + 1)
    const { items, next } = page(hono, rows, limit, (user) => [user[field] ?? '', user.id])
    return json({ items: items.map(toUser), ...(next === undefined ? {} : { next }) }, 200)
  },
)
