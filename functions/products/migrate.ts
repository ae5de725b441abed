import { MongoClient, MongoServerError } from 'mongodb'
import { compareVersions } from '../shared/schema-version.ts'
import { appliedVersion, productsVersion, writeVersion } from './schema-version.ts'
import { ensureIndexes, openProducts } from './store.ts'

/** MongoDB's code of a user that is there. */
const userExists = 51_003

/**
 * Brings the products' database up to this code. It may run any number of times.
 * @param url of the domain's own user
 * @param adminUrl logs in as one that may make users: then the domain's user is made, too, with its password
 * @throws ConfigError where the database was made by a newer Zeroshop
 */
export async function migrateProducts(url: string, adminUrl?: string): Promise<void> {
  if (adminUrl !== undefined) await ensureUser(url, adminUrl)
  const { db, products, close } = await openProducts(url)
  try {
    const applied = await appliedVersion(db)
    if (applied > productsVersion) compareVersions('MongoDB database', applied, productsVersion)
    await ensureIndexes(products)
    await writeVersion(db)
  } finally {
    await close()
  }
}

async function ensureUser(url: string, adminUrl: string): Promise<void> {
  const { username, password, pathname } = new URL(url)
  const name = decodeURIComponent(username)
  const database = pathname.slice(1)
  const client = new MongoClient(adminUrl, { serverSelectionTimeoutMS: 5_000 })
  const user = { pwd: decodeURIComponent(password), roles: [{ role: 'readWrite', db: database }] }
  try {
    await client.connect()
    const db = client.db(database)
    await db.command({ createUser: name, ...user }).catch((error: unknown) => {
      if (!(error instanceof MongoServerError && error.code === userExists)) throw error
      return db.command({ updateUser: name, ...user })
    })
  } finally {
    await client.close()
  }
}
