import type { Db } from 'mongodb'
import { askStore } from '../shared/store/wait-for-store.ts'
import { compareVersions } from '../shared/store/schema-version.ts'

/** Raise it where the indexes or the shape of the documents change; `migrateProducts` writes it down. */
export const productsVersion = 1

const versions = (db: Db) =>
  db.collection<{ _id: 'products'; version: number; demo?: 'begun' | 'done' }>('schema_versions')

/** The version of what is in the database; 0 where it was never migrated. */
export const appliedVersion = async (db: Db): Promise<number> =>
  (await versions(db).findOne({ _id: 'products' }))?.version ?? 0

export async function writeVersion(db: Db): Promise<void> {
  await versions(db).updateOne({ _id: 'products' }, { $set: { version: productsVersion } }, { upsert: true })
}

/** How far an empty shop was filled for a demo; undefined where nobody ever began. */
export const demoState = async (db: Db) => (await versions(db).findOne({ _id: 'products' }))?.demo

export async function writeDemoState(db: Db, demo: 'begun' | 'done'): Promise<void> {
  await versions(db).updateOne({ _id: 'products' }, { $set: { demo } })
}

/**
 * Makes sure that the database has the indexes of this code: without them two products could have one SKU.
 * @param waitMs how long it may take until MongoDB answers
 * @throws ConfigError where it is older or newer, or cannot be reached
 */
export async function checkProducts(db: Db, waitMs: number): Promise<void> {
  const ask = () => appliedVersion(db)
  const applied = await askStore(ask, { store: 'MongoDB', setting: 'MONGODB_URL', waitMs })
  compareVersions('MongoDB database', applied, productsVersion)
}
