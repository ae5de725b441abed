import { MongoClient, MongoServerError, type Db } from 'mongodb'
import { oldestVersion } from './migration-rules.ts'
import { mongoVersion, openMongodb, writeMongoVersion, type MongoMigration } from './shared/store/mongodb.ts'
import { refuseNewer } from './shared/store/schema-version.ts'

/** MongoDB's error code if a user already exists. */
const userExists = 51_003

/** A domain's MongoDB database, for the migration. */
export interface Database {
  domain: string
  /** Logs in as the domain's own user. */
  url: string
  /** The setting that contains the URL. */
  setting: string
  migrations: readonly MongoMigration[]
}

/**
 * Migrates a domain's database to the version of this code. A database that a newer version has migrated
 * stays unchanged. It can run repeatedly.
 * @param adminUrl logs in as a user that may create users. If given, the domain's user is created or updated
 *   too.
 */
export async function migrateMongodb(database: Database, adminUrl?: string): Promise<void> {
  const { domain, url, setting, migrations } = database
  if (adminUrl !== undefined) await ensureUser(url, adminUrl)
  const { db, close } = openMongodb(url, { setting, silentMs: 60_000 })
  try {
    const { version } = await mongoVersion(db, domain)
    if (version > migrations.length) return
    for (const { up } of migrations.slice(version)) await up(db)
    const oldest = oldestVersion(migrations.map(({ breaking }) => breaking !== undefined))
    await writeMongoVersion(db, domain, { version: migrations.length, oldest })
  } finally {
    await close()
  }
}

/**
 * Checks that this code can run on a domain's database.
 * @param loginUrl logs in as a user that already exists
 * @throws UserError if the database has migrations that this code cannot run on
 */
export async function refuseNewerMongodb(
  { domain, url, migrations }: Database,
  loginUrl: string,
): Promise<void> {
  const found = await loggedIn(loginUrl, url, (db) => mongoVersion(db, domain))
  refuseNewer(found, migrations.length, { store: 'MongoDB', domain })
}

async function ensureUser(url: string, adminUrl: string): Promise<void> {
  const { username, password, pathname } = new URL(url)
  const name = decodeURIComponent(username)
  const user = {
    pwd: decodeURIComponent(password),
    roles: [{ role: 'readWrite', db: pathname.slice(1) }],
  }
  await loggedIn(adminUrl, url, (db) =>
    db.command({ createUser: name, ...user }).catch((error: unknown) => {
      if (!(error instanceof MongoServerError && error.code === userExists)) throw error
      return db.command({ updateUser: name, ...user })
    }),
  )
}

/** Runs work on the database that `url` names, with the login of `loginUrl`. */
async function loggedIn<T>(loginUrl: string, url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(loginUrl, { serverSelectionTimeoutMS: 5_000 })
  try {
    await client.connect()
    return await work(client.db(new URL(url).pathname.slice(1)))
  } finally {
    await client.close()
  }
}
