import { MongoClient, MongoServerError, type Db } from 'mongodb'
import { refuseNewer } from '../shared/store/schema-version.ts'
import { appliedVersion, productsVersion, writeVersion } from './schema-version.ts'
import { ensureIndexes, openProducts } from './store.ts'

/** MongoDB's code of a user that is there. */
const userExists = 51_003

/**
 * Brings the products' database up to this code. It may run any number of times.
 * @param url of the domain's own user
 * @param adminUrl logs in as one that may make users: then the domain's user is made, too, with its password
 */
export async function migrateProducts(url: string, adminUrl?: string): Promise<void> {
  if (adminUrl !== undefined) await ensureUser(url, adminUrl)
  const { db, products, close } = await openProducts(url, { silentMs: 60_000 })
  try {
    await ensureIndexes(products)
    await writeVersion(db)
  } finally {
    await close()
  }
}

/**
 * @param loginUrl of a user that is there already
 * @param url names the database
 * @throws ConfigError where the products' database was made by a newer Zeroshop
 */
export async function refuseNewerProducts(loginUrl: string, url: string): Promise<void> {
  const applied = await loggedIn(loginUrl, url, appliedVersion)
  refuseNewer('MongoDB database', applied, productsVersion)
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

/** Does something with the database that `url` names, logged in by another URL. */
async function loggedIn<T>(loginUrl: string, url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(loginUrl, { serverSelectionTimeoutMS: 5_000 })
  try {
    await client.connect()
    return await work(client.db(new URL(url).pathname.slice(1)))
  } finally {
    await client.close()
  }
}
