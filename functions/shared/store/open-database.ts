import type { Config } from '../process/config.ts'
import type { Service } from '../process/service.ts'
import type { IsSessionEnded } from '../auth/ended-sessions.ts'
import type { EndedSessionsTable } from './ended-sessions-table.ts'
import type { Db } from './postgres.ts'
import { openRequestCounts } from './request-counts.ts'
import type { Journal } from './schema-version.ts'

/** Opens a domain's PostgreSQL schema. The drivers are loaded while it waits for the network. */
export async function openDatabase(
  config: Config,
  { name, domain, migrations }: { name: string; domain: string; migrations: Journal },
): Promise<Service & { db: Db }> {
  const [{ openPostgres }, { waitForSchema }, { storeWaitMs }] = await Promise.all([
    import('./postgres.ts'),
    import('./schema-version.ts'),
    import('./wait-for-store.ts'),
    knockAt(config, 'DATABASE_URL', 5432),
  ])
  const listenUrl = config.get('LISTEN_DATABASE_URL') && config.need('LISTEN_DATABASE_URL')
  const db = openPostgres(config.need('DATABASE_URL'), { name, listenUrl })
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
  const [{ endedInPostgres }, { endedSessions }] = await Promise.all([import('./ended-sessions.ts'), load()])
  return endedInPostgres(db, endedSessions)
}

/**
 * Waits until the network reaches a store.
 * @param setting the setting that contains the store's URL
 * @param port the port if the URL has none
 */
export async function knockAt(config: Config, setting: string, port: number): Promise<void> {
  const { knock } = await import('./wait-for-store.ts')
  await knock(config.get(setting) ?? '', port)
}

/**
 * Returns the check, and prevents an unhandled rejection if it fails before it is awaited. It runs while the
 * function is loaded; the server awaits it before it listens.
 */
export function inBackground(check: Promise<void>): Promise<void> {
  check.catch(() => {})
  return check
}
