import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { openShop, type TestShop } from '../../../test/shop.ts'
import { users } from '../../users/user.ts'
import { loggable } from './loggable.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

/** Returns what is written to the log about an error. */
function logged(error: unknown): string {
  const lines: string[] = []
  const log = pino({ serializers: { err: loggable } }, { write: (line: string) => lines.push(line) })
  log.error({ err: error }, 'request failed')
  return lines.join('')
}

it('logs a failed query without its parameters or the row that PostgreSQL quotes', async () => {
  const row = { id: uuidv7(), email: 'secret@example.com', passwordHash: 'the-hash', role: 'admin' as const }
  // a check constraint refuses the row, because it has no name
  const error: unknown = await shop
    .deps('users')
    .db.insert(users)
    .values(row)
    .catch((error: unknown) => error)
  expect(logged(error)).toContain('Failed query: insert into')
  expect(logged(error)).toContain('users_whole_or_anonymous')
  expect(logged(error)).toContain('loggable.test.ts')
  expect(logged(error)).not.toMatch(/secret@example|the-hash/)
})

it('logs any other error with its message, code and stack', async () => {
  const error: unknown = await shop
    .deps('users')
    .db.execute(sql`select from nowhere`)
    .catch((error: unknown) => error)
  expect(logged(error)).toMatch(/relation .*nowhere.* does not exist/)
  expect(logged(error)).toContain('42P01')
  expect(logged(new TypeError('not so'))).toMatch(/"type":"TypeError","message":"not so","stack":"at /)
  expect(logged('a text')).toContain('a text')
})
