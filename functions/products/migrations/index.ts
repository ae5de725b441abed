import type { MongoMigration } from '../../shared/store/mongodb.ts'
import { categoriesOfTexts } from './categories.ts'
import { foldedWords } from './search-keys.ts'
import { inUpperCase } from './skus.ts'

/** The migrations of the products database, oldest first. Their count is the schema version. */
export const migrations: readonly MongoMigration[] = [
  {
    // the indexes enforce uniqueness, so they must exist before the first product
    up: async (db) => {
      await db.collection('products').createIndexes([
        { name: 'sku', key: { sku: 1 }, unique: true },
        {
          name: 'creation',
          key: { 'creation.caller': 1, 'creation.key': 1 },
          unique: true,
          partialFilterExpression: { 'creation.key': { $exists: true } },
        },
        { name: 'outbox', key: { 'outbox.id': 1 }, sparse: true },
        { name: 'words', key: { words: 1, _id: 1 } },
        { name: 'category', key: { category: 1, _id: 1 } },
        { name: 'price', key: { 'price.currency': 1, 'price.amount': 1, _id: 1 } },
        { name: 'name', key: { nameKey: 1, _id: 1 } },
      ])
    },
  },
  {
    // for forget-seller
    up: async (db) => {
      await db.collection('products').createIndexes([{ name: 'seller', key: { sellerId: 1, _id: 1 } }])
    },
  },
  {
    breaking: 'earlier versions write SKUs in any case, and look them up in that case',
    up: inUpperCase,
  },
  { up: foldedWords },
  {
    // for the limits on requests, as rate-limiter-flexible creates them
    up: async (db) => {
      await db.collection('request_counts').createIndexes([
        { name: 'key', key: { key: 1 }, unique: true },
        { name: 'expire', key: { expire: -1 }, expireAfterSeconds: 0 },
      ])
    },
  },
  {
    // accents sorted by their code points: é after è
    up: foldedWords,
  },
  { up: categoriesOfTexts },
  {
    // for variants
    up: async (db) => {
      await db.collection('products').createIndexes([
        { name: 'group', key: { group: 1, _id: 1 } },
        {
          name: 'options',
          key: { group: 1, optionsKey: 1 },
          unique: true,
          partialFilterExpression: { optionsKey: { $exists: true } },
        },
      ])
    },
  },
  {
    // for the search, which looks for what has changed
    up: async (db) => {
      await db.collection('products').createIndexes([
        { name: 'updated', key: { updatedAt: 1 } },
        { name: 'stock', key: { 'stock.at': 1 } },
      ])
    },
  },
  {
    // for reviews; the unique indexes must exist before the first one
    up: async (db) => {
      await db.collection('reviews').createIndexes([
        {
          name: 'author',
          key: { authorId: 1, productId: 1 },
          unique: true,
          partialFilterExpression: { authorId: { $exists: true } },
        },
        {
          name: 'creation',
          key: { 'creation.caller': 1, 'creation.key': 1 },
          unique: true,
          partialFilterExpression: { 'creation.key': { $exists: true } },
        },
        { name: 'outbox', key: { 'outbox.id': 1 }, sparse: true },
        { name: 'newest', key: { productId: 1, _id: 1 } },
        { name: 'best', key: { productId: 1, stars: 1, _id: 1 } },
        { name: 'worst', key: { productId: 1, stars: 1, _id: -1 } },
        { name: 'answerer', key: { 'answer.authorId': 1 }, sparse: true },
      ])
      await db.collection('purchases').createIndexes([{ name: 'customer', key: { customerId: 1, skus: 1 } }])
      await db.collection('claims').createIndexes([{ name: 'user', key: { userId: 1 } }])
      await db.collection('products').createIndexes([{ name: 'rated', key: { 'rating.at': 1 } }])
    },
  },
]
