import type { Sql } from 'postgres'
import journal from '../migrations/meta/_journal.json' with { type: 'json' }
import { ConfigError, type Setting } from './config.ts'
import { reasonOf } from './store-errors.ts'

/** How many migrations this code was written for (drizzle-kit's journal lists them). */
export const schemaVersion = journal.entries.length

/** PostgreSQL's codes of a table or schema that is not there, or not for this role to see. */
const missing = new Set(['42P01', '3F000', '42501'])

/**
 * Makes sure that the database has the migrations of this code: a function on an older or newer schema would fail
 * half-way through its work.
 * @throws ConfigError where it has others, or cannot be reached
 */
export async function checkSchema(client: Sql, setting: Setting = 'DATABASE_URL'): Promise<void> {
  const applied = await client<[{ count: number }]>`
    select count(*)::int as count from drizzle.__drizzle_migrations`
    .then(([row]) => row.count)
    .catch((error: unknown) => {
      const { code, reason } = reasonOf(error)
      if (code !== undefined && missing.has(code)) return 0
      throw new ConfigError(
        `${setting}: PostgreSQL cannot be used (${reason}). Start it, or set ${setting} to where it answers.`,
      )
    })
  compareVersions('PostgreSQL database', applied, schemaVersion)
}

/** @throws ConfigError where what is in the store was made by an older or newer Zeroshop */
export function compareVersions(store: string, found: number, known: number): void {
  if (found < known)
    throw new ConfigError(
      `The ${store} is older than this code (version ${found} of ${known}). Run the migration first (FUNCTION=migrate).`,
    )
  if (found > known)
    throw new ConfigError(
      `The ${store} was made by a newer Zeroshop (version ${found}, this code knows ${known}). Run that one, or use another database.`,
    )
}
