import type { MongoMigration } from '../../shared/store/mongodb.ts'

/** The migrations of the carts database, oldest first. Their count is the schema version. */
export const migrations: readonly MongoMigration[] = [
  {
    // carts, ended sessions and products are found by their ids
    up: async (db) => {
      await db.collection('carts').createIndexes([{ name: 'outbox', key: { 'outbox.id': 1 }, sparse: true }])
      // for the limits on requests, as rate-limiter-flexible creates them
      await db.collection('request_counts').createIndexes([
        { name: 'key', key: { key: 1 }, unique: true },
        { name: 'expire', key: { expire: -1 }, expireAfterSeconds: 0 },
      ])
    },
  },
]
