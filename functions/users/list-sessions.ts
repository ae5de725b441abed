import { and, asc, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, readCursor } from '../shared/http/paging.ts'
import { SessionPage, SessionQuery, sessions, toSession } from './session.ts'

export const listSessions = operation(
  'list-sessions',
  { request: { query: SessionQuery }, responses: { 200: SessionPage }, headers: ['Link'] },
  async ({ query: { sort, limit, cursor }, user, json, hono }, { db }) => {
    // as a UUIDv7, the id sorts by the time of the log-in
    const [order, beyond] = sort === 'createdAt' ? [asc, gt] : [desc, lt]
    const after = readCursor(hono, cursor, 'uuid')
    const rows = await db
      .select()
      .from(sessions)
      .where(
        and(
          eq(sessions.userId, user.id),
          isNull(sessions.endedAt),
          gt(sessions.expiresAt, sql`now()`),
          after && beyond(sessions.id, after[0]),
        ),
      )
      .orderBy(order(sessions.id))
      .limit(limit + 1)
    const { items, next } = page(hono, rows, limit, ({ id }) => [id])
    return json(
      { items: items.map((row) => toSession(row, user.session)), ...(next !== undefined && { next }) },
      200,
    )
  },
)
