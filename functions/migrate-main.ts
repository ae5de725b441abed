import { fileURLToPath } from 'node:url'
import type { Setting, Config } from './shared/process/config.ts'
import { ConfigError } from './shared/process/config.ts'
import { reasonOf } from './shared/store/store-errors.ts'
import { databaseRoles, type DatabaseRole } from './functions.ts'
import { migrate } from './migrate.ts'
import { migrateProducts, refuseNewerProducts } from './products/migrate.ts'
import { seed } from '../demo/seed.ts'

/** PostgreSQL's codes of errors that a person can do something about. */
const advice: Record<string, string> = {
  '53100': 'The disk that holds the database is full. Free some space and run the migration again.',
  '55P03': 'Another migration is running, or something holds its tables. Wait for its end, and run it again.',
  '42501': 'The role in ADMIN_DATABASE_URL may not create roles and schemas. Use one that may.',
}

/**
 * The migration job: brings PostgreSQL and MongoDB up to this code, gives each domain its role and password, and
 * with DEMO_PASSWORD fills an empty shop. It may run any number of times, and at the same time as another.
 * @param entry the URL of functions/main.ts or of its bundle, beside which the migrations are
 * @throws ConfigError in one line that says what to do
 */
export async function runMigration(config: Config, entry: string): Promise<void> {
  const admin = config.need('ADMIN_DATABASE_URL')
  const urls = Object.fromEntries(
    databaseRoles.map((role) => [role, config.need(`${role.toUpperCase()}_DATABASE_URL` as Setting)]),
  ) as Record<DatabaseRole, string>
  const products = config.need('MONGODB_URL')
  const passwords = Object.fromEntries(
    databaseRoles.map((role) => [role, passwordIn(urls[role], role)]),
  ) as Record<DatabaseRole, string>
  const adminMongodb = config.get('ADMIN_MONGODB_URL')
  const demoPassword = config.get('DEMO_PASSWORD')
  try {
    // nothing is changed where either store is newer
    await refuseNewerProducts(adminMongodb ?? products, products)
    await migrate(admin, passwords, fileURLToPath(new URL('migrations', entry)))
    await migrateProducts(products, adminMongodb)
    if (demoPassword !== undefined)
      await seed({ users: urls.users, stock: urls.stock, products }, demoPassword)
  } catch (error) {
    throw explain(error)
  }
}

function passwordIn(url: string, role: DatabaseRole): string {
  const { username, password } = new URL(url)
  if (username === role && password !== '') return decodeURIComponent(password)
  throw new ConfigError(
    `${role.toUpperCase()}_DATABASE_URL does not log in as the role ${role} with a password. Set it to postgres://${role}:…@host/database.`,
  )
}

function explain(error: unknown): unknown {
  if (error instanceof ConfigError) return error
  const { code, reason } = reasonOf(error)
  if (code !== undefined && advice[code] !== undefined) return new ConfigError(advice[code])
  if (code === undefined && !(error instanceof Error && error.name.startsWith('Mongo'))) return error
  const store = error instanceof Error && error.name.startsWith('Mongo') ? 'MongoDB' : 'PostgreSQL'
  return new ConfigError(`${store} cannot be migrated (${reason}). See to it, and run the migration again.`)
}
