import { MongoClient, MongoServerError, type Db } from 'mongodb'
import { oldestVersion } from './migration-rules.ts'
import { mongoVersion, openMongodb, writeMongoVersion, type MongoMigration } from './shared/store/mongodb.ts'
import { refuseNewer } from './shared/store/schema-version.ts'

/** MongoDB's code of a user that exists. */
const userExists = 51_003

/** A MongoDB domain, as the migration is told of it. */
export interface Database {
  domain: string
  /** With the domain's own user. */
  url: string
  /** The setting that holds the URL. */
  setting: string
  migrations: readonly MongoMigration[]
}

/**
 * Brings a domain's database up to this code; one that a newer version has migrated stays as it is. It may run any
 * number of times.
 * @param adminUrl logs in as a user that may create users: then the domain's user is created, too, with its password
 */
export async function migrateMongodb(database: Database, adminUrl?: string): Promise<void> {
  const { domain, url, setting, migrations } = database
  if (adminUrl !== undefined) await ensureUser(url, adminUrl)
  const { db, close } = openMongodb(url, { setting, silentMs: 60_000 })
  try {
    const { version } = await mongoVersion(db, domain)
    if (version > migrations.length) return
    for (const { up } of migrations) await up(db)
    const oldest = oldestVersion(migrations.map(({ breaking }) => breaking !== undefined))
    await writeMongoVersion(db, domain, { version: migrations.length, oldest })
  } finally {
    await close()
  }
}

/**
 * @param loginUrl of a user that exists already
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

/** Works with the database that `url` names, logged in by another URL. */
async function loggedIn<T>(loginUrl: string, url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(loginUrl, { serverSelectionTimeoutMS: 5_000 })
  try {
    await client.connect()
    return await work(client.db(new URL(url).pathname.slice(1)))
  } finally {
    await client.close()
  }
}
