import type { Sql } from 'postgres'
import journal from '../../migrations/meta/_journal.json' with { type: 'json' }
import { askStore } from './wait-for-store.ts'
import { ConfigError, type Setting } from '../process/config.ts'
import { errorCode } from './store-errors.ts'

/** How many migrations this code was written for (drizzle-kit's journal lists them). */
export const schemaVersion = journal.entries.length

/** PostgreSQL's codes of a table or schema that is not there, or not for this role to see. */
const missing = new Set(['42P01', '3F000', '42501'])

/**
 * Makes sure that the database has the migrations of this code: a function on an older or newer schema would fail
 * half-way through its work.
 * @param waitMs how long it may take until PostgreSQL answers
 * @throws ConfigError where it has others, or cannot be reached
 */
export async function checkSchema(
  client: Sql,
  waitMs: number,
  setting: Setting = 'DATABASE_URL',
): Promise<void> {
  const count = async () => {
    try {
      const [row] = await client<[{ count: number }]>`
        select count(*)::int as count from drizzle.__drizzle_migrations`
      return row.count
    } catch (error) {
      if (missing.has(errorCode(error) ?? '')) return 0
      throw error
    }
  }
  const applied = await askStore(count, { store: 'PostgreSQL', setting, waitMs })
  compareVersions('PostgreSQL database', applied, schemaVersion)
}

/** @throws ConfigError where what is in the store was made by an older or newer Zeroshop */
export function compareVersions(store: string, found: number, known: number): void {
  if (found < known)
    throw new ConfigError(
      `The ${store} is older than this code (version ${found} of ${known}). Run the migration first (FUNCTION=migrate).`,
    )
  refuseNewer(store, found, known)
}

/** @throws ConfigError where what is in the store was made by a newer Zeroshop */
export function refuseNewer(store: string, found: number, known: number): void {
  if (found > known)
    throw new ConfigError(
      `The ${store} was made by a newer Zeroshop (version ${found}, this code knows ${known}). Run that one, or use another database.`,
    )
}
