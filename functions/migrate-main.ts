import { fileURLToPath } from 'node:url'
import { migrate, eventsSchema } from './migrate.ts'
import { migrateMongodb, refuseNewerMongodb, type Database } from './migrate-mongodb.ts'
import { at } from './shared/process/role-url.ts'
import { urlSetting, type Config } from './shared/process/config.ts'
import { UserError } from './shared/process/user-error.ts'
import type { MongoMigration } from './shared/store/mongodb.ts'
import { reasonOf } from './shared/store/store-errors.ts'
import { rights } from './rights.table.ts'
import { stores } from './stores.table.ts'

/** Advice for PostgreSQL's error codes that a person can act on. */
const advice: Record<string, string> = {
  '53100': 'The disk that holds the database is full. Free some space and run the migration again.',
  '55P03':
    'Another migration is running, or something has locked the tables. Wait and run the migration again.',
  '42501': 'The role in ADMIN_DATABASE_URL may not create roles and schemas. Use one that may.',
}

/**
 * The migration job: brings PostgreSQL and MongoDB up to this code, gives each domain its role and password, and
 * with DEMO_PASSWORD fills an empty shop. It may run any number of times, and at the same time as another.
 * @param entry the URL of functions/main.ts or of its bundle, beside which the migrations are
 * @throws UserError in one line that says what to do
 */
export async function runMigration(config: Config, entry: string): Promise<void> {
  const admin = config.need('ADMIN_DATABASE_URL')
  const schemas = [
    { domain: eventsSchema, folder: '../events/migrations', events: [], reactions: [], appendOnly: [] },
    ...stores
      .filter(({ store }) => store === 'postgres')
      .map((each) => ({ ...each, folder: `${each.domain}/migrations` })),
  ].map(({ domain: role, folder, events, reactions, appendOnly }) => ({
    name: role,
    events,
    reactions,
    appendOnly,
    url: config.need(urlSetting(role, 'postgres')),
    password: passwordIn(config, role),
    rights: rights[role]!,
    folder: fileURLToPath(new URL(folder, entry)),
  }))
  const databases = await Promise.all(
    mongodbDomains.map(async (domain): Promise<Database> => {
      const setting = urlSetting(domain, 'mongodb')
      const { migrations } = (await beside(entry, `${domain}/migrations/index`)) as {
        migrations: readonly MongoMigration[]
      }
      return { domain, setting, url: config.need(setting), migrations }
    }),
  )
  const adminMongodb = config.get('ADMIN_MONGODB_URL')
  const demoPassword = config.get('DEMO_PASSWORD')
  try {
    // check every store first, so that nothing changes if one is too new
    for (const database of databases) await refuseNewerMongodb(database, adminMongodb ?? database.url)
    await migrate(admin, schemas, {
      pooler: config.get('POOLER_PASSWORD'),
      monitoring: config.get('MONITORING_PASSWORD'),
    })
    for (const database of databases) await migrateMongodb(database, adminMongodb)
    if (demoPassword !== undefined) {
      const { seed } = (await beside(entry, '../demo/seed')) as { seed: Seed }
      const urls = [
        ...schemas.map(({ name, url }) => [name, at(admin, url)]),
        ...databases.map((d) => [d.domain, d.url]),
      ]
      await seed(Object.fromEntries(urls), demoPassword)
    }
  } catch (error) {
    throw explain(error)
  }
}

/** The `seed` of demo/seed.ts. It is loaded by its path, because this folder may not import the demo. */
type Seed = (urls: Record<string, string>, password: string) => Promise<void>

const mongodbDomains = stores.flatMap(({ store, domain }) => (store === 'mongodb' ? [domain] : []))

/** Loads a module relative to the entry: the source, or its bundle if the entry is a bundle. */
const beside = (entry: string, path: string): Promise<unknown> =>
  import(new URL(`${path}${entry.endsWith('.ts') ? '.ts' : '.js'}`, entry).href)

function passwordIn(config: Config, role: string): string {
  const setting = urlSetting(role, 'postgres')
  const { username, password } = new URL(config.need(setting))
  if (username === role && password !== '') return decodeURIComponent(password)
  throw new UserError(
    `${setting} does not log in as the role ${role} with a password. Set it to postgres://${role}:…@host/database.`,
  )
}

function explain(error: unknown): unknown {
  if (error instanceof UserError) return error
  const { code, reason } = reasonOf(error)
  if (code !== undefined && advice[code] !== undefined) return new UserError(advice[code])
  if (code === undefined && !(error instanceof Error && error.name.startsWith('Mongo'))) return error
  const store = error instanceof Error && error.name.startsWith('Mongo') ? 'MongoDB' : 'PostgreSQL'
  return new UserError(`${store} cannot be migrated (${reason}). Fix the cause and run the migration again.`)
}
