import type { Config } from '../process/config.ts'
import type { Service } from '../process/service.ts'
import type { IsSessionEnded } from '../auth/ended-sessions.ts'
import { endedInPostgres } from './ended-sessions.ts'
import type { EndedSessionsTable } from './ended-sessions-table.ts'
import { openPostgres, type Db } from './postgres.ts'
import { openRequestCounts } from './request-counts.ts'
import { waitForSchema, type Journal } from './schema-version.ts'
import { inBackground, knockAt, storeWaitMs } from './wait-for-store.ts'

interface Opening {
  /** The name of the function. */
  name: string
  domain: string
  migrations: Journal
  /** Whether functions of the domain watch for changes (LISTEN). */
  isWatched?: boolean
}

/** Opens a domain's PostgreSQL schema. */
export async function openDatabase(
  config: Config,
  { name, domain, migrations, isWatched = false }: Opening,
): Promise<Service & { db: Db }> {
  await knockAt(config, 'DATABASE_URL', 5432)
  const listenUrl = config.get('LISTEN_DATABASE_URL') && config.need('LISTEN_DATABASE_URL')
  const db = openPostgres(config.need('DATABASE_URL'), {
    name,
    listenUrl,
    isWatched,
  })
  const checked = waitForSchema(db.client, { domain, migrations, waitMs: storeWaitMs(config) })
  const requestCounts = openRequestCounts(config, async () => {
    const { requestLimiter } = await import('./postgres-limiter.ts')
    return requestLimiter(db, domain)
  })
  return {
    db,
    requestCounts,
    checked: inBackground(checked),
    ping: async () => void (await db.client`select 1`),
    close: () => {
      requestCounts.close()
      return db.close()
    },
  }
}

/**
 * Returns a check against the domain's projection of ended sessions.
 * @param load imports the module that declares its table
 */
export async function openEndedSessions(
  db: Db,
  load: () => Promise<{ endedSessions: EndedSessionsTable }>,
): Promise<IsSessionEnded> {
  const { endedSessions } = await load()
  return endedInPostgres(db, endedSessions)
}
