import type { Collection, Db } from 'mongodb'
import { keyLifetimeMs, replay, toAnswer, type IdempotencyKey } from '../shared/store/idempotency.ts'
import { Problem } from '../shared/http/problems.ts'
import {
  maxCategories,
  newCategory,
  withCategory,
  type CategoryState,
  type CategoryTree,
} from './category.ts'
import { slugOf } from '../shared/slug.ts'

/** How the tree of categories is read and written. */

export type Trees = Collection<CategoryTree>

const _id = 'tree'
const empty: CategoryTree = { _id, version: 0, categories: [], creations: [] }

/** Creates the tree, unless there is one. */
export const ensureTree = async (trees: Trees): Promise<void> => {
  await trees.updateOne({ _id }, { $setOnInsert: empty }, { upsert: true })
}

export const openCategories = (db: Db): Trees => db.collection<CategoryTree>('categories')

export const noCategory = () => new Problem('not-found', { detail: 'The shop has no such category.' })

/** Reads the categories, and the version of their tree. */
export const readCategories = async (trees: Trees): Promise<Omit<CategoryTree, 'creations'>> =>
  (await trees.findOne({ _id }, { projection: { creations: 0 } })) ?? empty

/** @throws Problem 404 if there is no such category */
export function categoryIn({ categories }: Pick<CategoryTree, 'categories'>, id: string): CategoryState {
  const category = categories.find((each) => each.id === id)
  if (category === undefined) throw noCategory()
  return category
}

/**
 * Changes the tree in one write. Changes at the same time come one after the other.
 * @param change returns the fields to change; it may run repeatedly
 */
export async function changeTree(
  trees: Trees,
  change: (tree: CategoryTree) => Partial<Pick<CategoryTree, 'categories' | 'creations'>>,
): Promise<void> {
  for (;;) {
    const tree = await trees.findOne({ _id })
    if (tree === null) {
      await ensureTree(trees)
      continue
    }
    const set = { ...change(tree), version: tree.version + 1 }
    const { matchedCount } = await trees.updateOne({ _id, version: tree.version }, { $set: set })
    if (matchedCount === 1) return
  }
}

/**
 * Adds a category together with the answer to its request, so that a retry gets the same answer.
 * @throws Problem as `withCategory` does, or 422 if the key was used for another request
 */
export async function addOnce(
  trees: Trees,
  category: CategoryState,
  key: IdempotencyKey,
  response: Response,
): Promise<Response> {
  const answer = await toAnswer(response)
  let answered = response
  await changeTree(trees, ({ categories, creations }) => {
    const at = new Date()
    const kept = creations.filter((each) => at.getTime() - each.at.getTime() < keyLifetimeMs)
    const first = kept.find((each) => each.caller === key.caller && each.key === key.key)
    answered = first === undefined ? response : replay(first, key)
    if (first !== undefined) return {}
    return { categories: withCategory(categories, category), creations: [...kept, { ...key, at, answer }] }
  })
  return answered
}

/**
 * Adds the categories that some products name and the tree does not have, at the top. If the tree is full, the products
 * are still found by what they name.
 * @param texts their slugs or names
 */
export async function ensureCategories(trees: Trees, texts: readonly string[]): Promise<void> {
  const named = new Map(texts.map((name) => [slugOf(name), name]))
  const missing = (categories: readonly CategoryState[]) => {
    const there = new Set(categories.map(({ slug }) => slug))
    return [...named].filter(([slug]) => !there.has(slug))
  }
  if (missing((await readCategories(trees)).categories).length === 0) return
  await changeTree(trees, ({ categories }) => ({
    categories: missing(categories)
      .slice(0, maxCategories - categories.length)
      .reduce<CategoryState[]>(
        (all, [slug, name]) => withCategory(all, newCategory({ name, slug, parentId: null })),
        categories,
      ),
  }))
}

/** Forgets the answers that are kept for a caller. */
export const forgetCreations = async (trees: Trees, caller: string): Promise<void> => {
  await trees.updateOne({ _id }, { $pull: { creations: { caller } } })
}
