import type { Config } from '../process/config.ts'
import type { Service } from '../process/service.ts'
import type { MongoMigration, MongoStore } from './mongodb.ts'
import { openRequestCounts } from './request-counts.ts'
import { waitForVersion } from './schema-version.ts'
import { inBackground, knockAt, storeWaitMs } from './wait-for-store.ts'

/** Opens a domain's MongoDB database. The driver is loaded while it waits for the network. */
export async function openMongoDatabase(
  config: Config,
  { name, domain, migrations }: { name: string; domain: string; migrations: readonly MongoMigration[] },
): Promise<Service & Pick<MongoStore, 'db'>> {
  const [{ mongoVersion, openMongodb }] = await Promise.all([
    import('./mongodb.ts'),
    knockAt(config, 'MONGODB_URL', 27_017),
  ])
  const store = openMongodb(config.need('MONGODB_URL'), { name })
  const checked = waitForVersion(() => mongoVersion(store.db, domain), migrations.length, {
    store: 'MongoDB',
    setting: 'MONGODB_URL',
    domain,
    waitMs: storeWaitMs(config),
  })
  const requestCounts = openRequestCounts(config, async () => {
    const { requestLimiter } = await import('./mongodb-limiter.ts')
    return requestLimiter(store.db)
  })
  return {
    ...store,
    requestCounts,
    checked: inBackground(checked),
    close: () => {
      requestCounts.close()
      return store.close()
    },
  }
}
