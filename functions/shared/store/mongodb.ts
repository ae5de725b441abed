import { setTimeout } from 'node:timers/promises'
import { MongoClient, type Db, type FindCursor, type MongoClientOptions } from 'mongodb'
import { describeSetting } from '../process/config.ts'
import { telemetry } from '../telemetry/telemetry.ts'
import { UserError } from '../process/user-error.ts'
import { unmigrated, type StoreVersion } from './schema-version.ts'

/**
 * A step of a MongoDB domain's `migrations/index.ts`. Like any migration, it is compatible with older code
 * unless it is marked as breaking.
 */
export interface MongoMigration {
  /** Why code of an earlier version can no longer run on the store. */
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
 * @param url has the name of the database as its path
 * @param setting the setting that contains the URL, for the error message
 * @param silentMs how long to wait for a response before the connection is given up, in ms, unless the URL
 *   says so (`socketTimeoutMS`). The driver retries once.
 * @throws UserError if the URL cannot be used
 */
export function openMongodb(
  url: string,
  { setting = 'MONGODB_URL', name = 'zeroshop', silentMs = 3_000 } = {},
): MongoStore {
  const client = openClient(url, setting, {
    appName: name,
    maxPoolSize: 10,
    ...unlessGiven(url, {
      serverSelectionTimeoutMS: 3_000,
      connectTimeoutMS: 3_000,
      socketTimeoutMS: silentMs,
    }),
    // a confirmed change must survive a crash of the server
    writeConcern: { w: 'majority', journal: true },
    monitorCommands: telemetry() !== undefined,
  })
  telemetry()?.mongodb(client)
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

/**
 * The options of an operation on many documents, which may take a minute before the server responds: the embedded
 * server reads everything that matches before it returns the first documents. The driver's types lack the option for
 * operations, but each command has it.
 */
export const patiently: object = { socketTimeoutMS: 60_000 }

/** Returns what a query finds, in groups of so many documents, each read only when it is wanted. */
export async function* groupsOf<T>(query: FindCursor<T>, atOnce: number): AsyncGenerator<T[]> {
  const cursor = query.batchSize(atOnce)
  try {
    while (await cursor.hasNext()) yield cursor.readBufferedDocuments()
  } finally {
    await cursor.close()
  }
}

/** Returns the options that the URL does not contain: the driver would prefer these to the URL's. */
function unlessGiven(url: string, options: MongoClientOptions): MongoClientOptions {
  const given = new Set([...new URLSearchParams(url.split('?')[1]).keys()].map((key) => key.toLowerCase()))
  return Object.fromEntries(Object.entries(options).filter(([key]) => !given.has(key.toLowerCase())))
}

function openClient(url: string, setting: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options)
  } catch (error) {
    // the driver's message describes what is wrong with the URL, and never quotes it
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError(
      `${setting} cannot be used: it is ${describeSetting(setting)}. MongoDB’s driver says: ${reason}.`,
    )
  }
}

/**
 * Connects, and retries until it succeeds: after a failed first attempt, the client stays closed (driver
 * 7.9).
 */
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

/** Returns the version of a domain's database. */
export async function mongoVersion(db: Db, domain: string): Promise<StoreVersion> {
  const found = await versions(db).findOne({ _id: domain })
  return { ...unmigrated, ...(found === null ? {} : { version: found.version, oldest: found.oldest ?? 0 }) }
}

export async function writeMongoVersion(db: Db, domain: string, version: StoreVersion): Promise<void> {
  await versions(db).updateOne({ _id: domain }, { $set: { ...version } }, { upsert: true })
}

/** Returns how far the demo data has been written; undefined if that was never begun. */
export const demoState = async (db: Db, domain: string) => (await versions(db).findOne({ _id: domain }))?.demo

export async function writeDemoState(db: Db, domain: string, demo: 'begun' | 'done'): Promise<void> {
  await versions(db).updateOne({ _id: domain }, { $set: { demo } })
}
