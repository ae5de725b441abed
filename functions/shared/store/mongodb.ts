import { setTimeout } from 'node:timers/promises'
import { MongoClient, type Db, type MongoClientOptions } from 'mongodb'
import { describeSetting } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { unmigrated, type StoreVersion } from './schema-version.ts'

/** A step of a MongoDB domain's `migrations/index.ts`; like any migration it expands, unless it says that it breaks. */
export interface MongoMigration {
  /** Why code of an earlier version cannot run on the store any more. */
  breaking?: string
  /** May run any number of times. */
  up: (db: Db) => Promise<void>
}

export interface MongoStore {
  db: Db
  ping: () => Promise<void>
  close: () => Promise<void>
}

/**
 * Opens a domain's database without waiting for the server.
 * @param url names the database in its path
 * @param setting that holds the URL, for the error message
 * @param silentMs the server counts as gone after so long without an answer; the driver retries once
 */
export function openMongodb(
  url: string,
  { setting = 'MONGODB_URL', name = 'zeroshop', silentMs = 3_000 } = {},
): MongoStore {
  const client = openClient(url, setting, {
    appName: name,
    maxPoolSize: 10,
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: silentMs,
    // what was answered must survive a crash of the server
    writeConcern: { w: 'majority', journal: true },
  })
  const db = client.db()
  const closing = new AbortController()
  void connect(client, closing.signal)
  return {
    db,
    ping: async () => void (await db.command({ ping: 1 })),
    close: async () => {
      closing.abort()
      await client.close()
    },
  }
}

function openClient(url: string, setting: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options)
  } catch (error) {
    // the driver's message describes the URL's form and never quotes the URL
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError(
      `${setting} cannot be used: it is ${describeSetting(setting)}. MongoDB’s driver says: ${reason}.`,
    )
  }
}

/** A client whose first attempt to connect fails stays closed for good (driver 7.9), so this retries. */
async function connect(client: MongoClient, closing: AbortSignal): Promise<void> {
  while (!closing.aborted)
    try {
      await client.connect()
      return
    } catch {
      // each request that needs the store reports it
      await setTimeout(500, undefined, { ref: false })
    }
}

interface VersionDocument extends StoreVersion {
  _id: string
  demo?: 'begun' | 'done'
}

const versions = (db: Db) => db.collection<VersionDocument>('schema_versions')

/** The version of a domain's database. */
export async function mongoVersion(db: Db, domain: string): Promise<StoreVersion> {
  const found = await versions(db).findOne({ _id: domain })
  return { ...unmigrated, ...(found === null ? {} : { version: found.version, oldest: found.oldest ?? 0 }) }
}

export async function writeMongoVersion(db: Db, domain: string, version: StoreVersion): Promise<void> {
  await versions(db).updateOne({ _id: domain }, { $set: { ...version } }, { upsert: true })
}

/** How far the demo's data was written into the shop; undefined if nobody ever began. */
export const demoState = async (db: Db, domain: string) => (await versions(db).findOne({ _id: domain }))?.demo

export async function writeDemoState(db: Db, domain: string, demo: 'begun' | 'done'): Promise<void> {
  await versions(db).updateOne({ _id: domain }, { $set: { demo } })
}
