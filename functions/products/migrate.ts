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
 */
export async function migrateProducts(url: string, adminUrl?: string): Promise<void> {
  if (adminUrl !== undefined) await ensureUser(url, adminUrl)
  const { db, products, close } = await openProducts(url)
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
  const client = new MongoClient(loginUrl, { serverSelectionTimeoutMS: 5_000 })
  try {
    await client.connect()
    const applied = await appliedVersion(client.db(databaseOf(url)))
    if (applied > productsVersion) compareVersions('MongoDB database', applied, productsVersion)
  } finally {
    await client.close()
  }
}

const databaseOf = (url: string) => new URL(url).pathname.slice(1)

async function ensureUser(url: string, adminUrl: string): Promise<void> {
  const { username, password } = new URL(url)
  const name = decodeURIComponent(username)
  const database = databaseOf(url)
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
