import { setTimeout } from 'node:timers/promises'
import type { Sql } from 'postgres'
import { UserError } from '../process/user-error.ts'
import { errorCode } from './store-errors.ts'
import { askStore } from './wait-for-store.ts'

/**
 * The version of a domain's store: the number of its migrations. Each domain has its own. Migrations only
 * expand, so code also runs on a newer store, unless a migration since then is marked as breaking.
 */
export interface StoreVersion {
  version: number
  /** The version of the oldest code that runs on the store. */
  oldest: number
}

/** drizzle-kit's list of a domain's migrations: `migrations/meta/_journal.json`. */
export interface Journal {
  entries: readonly { tag: string }[]
}

export const unmigrated: StoreVersion = { version: 0, oldest: 0 }

/** PostgreSQL's codes for a table or schema that does not exist, or that this role may not use. */
const missing = new Set(['42P01', '3F000', '42501'])

/** Returns the version of a domain's schema in PostgreSQL. */
export async function postgresVersion(client: Sql, domain: string): Promise<StoreVersion> {
  try {
    const [row] = await client<StoreVersion[]>`
      select version, oldest from drizzle.versions where domain = ${domain}`
    return row ?? unmigrated
  } catch (error) {
    if (missing.has(errorCode(error) ?? '')) return unmigrated
    throw error
  }
}

/**
 * Waits until a store has all migrations that this code needs. While a new version is rolled out, they may
 * still be running.
 * @param read returns the store's version
 * @param known the version that this code was written for
 * @param waitMs how long to wait, in ms, for the store to respond and to be migrated
 * @throws UserError if the store cannot be reached, is still too old, or is too new for this code
 */
export async function waitForVersion(
  read: () => Promise<StoreVersion>,
  known: number,
  { waitMs, ...store }: { store: string; setting: string; domain: string; waitMs: number },
): Promise<void> {
  const until = performance.now() + waitMs
  for (;;) {
    const found = await askStore(read, { ...store, waitMs: Math.max(0, until - performance.now()) })
    if (found.version >= known || performance.now() >= until) return checkVersion(found, known, store)
    await setTimeout(Math.min(250, waitMs))
  }
}

/**
 * Waits until a schema in PostgreSQL has all migrations of its journal.
 * @throws UserError as `waitForVersion` does
 */
export const waitForSchema = (
  client: Sql,
  { domain, migrations, waitMs }: { domain: string; migrations: Journal; waitMs: number },
): Promise<void> =>
  waitForVersion(() => postgresVersion(client, domain), migrations.entries.length, {
    store: 'PostgreSQL',
    setting: 'DATABASE_URL',
    domain,
    waitMs,
  })

/** @throws UserError if this code cannot run on the store */
export function checkVersion(
  { version, oldest }: StoreVersion,
  known: number,
  { store, domain }: { store: string; domain: string },
): void {
  if (version < known)
    throw new UserError(
      `The ${domain} data in ${store} is older than this code (version ${version} of ${known}). Run the migration first (FUNCTION=migrate).`,
    )
  refuseNewer({ version, oldest }, known, { store, domain })
}

/** @throws UserError if a newer migration is marked as breaking, so that this code cannot run on the store */
export function refuseNewer(
  { version, oldest }: StoreVersion,
  known: number,
  { store, domain }: { store: string; domain: string },
): void {
  if (oldest > known)
    throw new UserError(
      `The ${domain} data in ${store} was migrated by a newer Zeroshop (version ${version}), which this code (version ${known}) cannot use. Run version ${oldest} or newer, or use another database.`,
    )
}
