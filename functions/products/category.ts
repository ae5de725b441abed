import * as z from 'zod'
import { uuidv7 } from 'uuidv7'
import { Problem } from '../shared/http/problems.ts'
import { changeOf, Id, text, Timestamp } from '../shared/schemas/schemas.ts'
import type { Answer, IdempotencyKey } from '../shared/store/idempotency.ts'
import { problems } from './problems.ts'
import { maxSlug, slugOf } from '../shared/slug.ts'
import { sortKey } from './sort-key.ts'

/** The categories of the shop, which form a tree: documents, schemas and rules. Everything here is pure. */

/** How many categories a shop has at most. All of them are in one document. */
export const maxCategories = 1_000
/** How many categories lie on the way from the top of the tree to its lowest leaf, at most. */
export const maxDepth = 5

const needsLetter = 'needs a letter or a digit'

/** What a product says of its category: a slug, or a name that has this slug. */
export const CategoryText = text(maxSlug)
  .refine((value) => slugOf(value) !== '', needsLetter)
  .meta({
    description:
      'The slug of a category, or a name that has this slug. If there is no such category, it is added at the top of the tree.',
    example: 'bike-parts',
  })

const Slug = z
  .string()
  .max(maxSlug)
  .refine((slug) => slug !== '' && slugOf(slug) === slug, 'lower-case letters and digits, joined by dashes')
  .meta({
    description: 'By this, products and links name the category. It never changes.',
    example: 'bike-parts',
  })
const Name = text(100)
const ParentId = Id.nullable().meta({ description: 'The category above; null at the top of the tree.' })

export const Category = z
  .object({
    id: Id,
    slug: z.string(),
    name: z.string(),
    parentId: ParentId,
    version: z.int().meta({ description: 'Rises with each change.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Category' })
export type Category = z.infer<typeof Category>

export const NewCategory = z
  .strictObject({
    name: Name,
    slug: Slug.optional().meta({ description: 'Made from the name if left out. It never changes.' }),
    parentId: ParentId.default(null),
  })
  .refine(({ name, slug }) => slug !== undefined || slugOf(name) !== '', {
    path: ['name'],
    message: `${needsLetter}, unless a slug is given`,
  })
  .meta({ id: 'NewCategory' })
export type NewCategory = z.infer<typeof NewCategory>

export const CategoryPatch = changeOf(
  { name: Name.optional(), parentId: ParentId.optional() },
  'CategoryPatch',
)
export type CategoryPatch = z.infer<typeof CategoryPatch>

/** The data of a category. */
export interface CategoryState {
  id: string
  slug: string
  name: string
  parentId: string | null
  version: number
  createdAt: Date
  updatedAt: Date
}

/** A request that created a category, and its answer. */
export type Creation = IdempotencyKey & { at: Date; answer: Answer }

/** The only document of its collection, so that no two changes at the same time can make a cycle. */
export interface CategoryTree {
  _id: 'tree'
  version: number
  categories: CategoryState[]
  /** In the document, so that one write includes the answer. */
  creations: Creation[]
}

type Categories = readonly CategoryState[]

/** Returns a new category. */
export function newCategory({ name, slug, parentId }: NewCategory): CategoryState {
  const now = new Date()
  return {
    id: uuidv7(),
    slug: slug ?? slugOf(name),
    name,
    parentId,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
}

/**
 * Adds a category.
 * @throws Problem 409 if its slug is taken or there are too many categories, 400 if its parent is none
 */
export function withCategory(categories: Categories, added: CategoryState): CategoryState[] {
  if (categories.some(({ slug }) => slug === added.slug))
    throw new Problem(problems['slug-taken'], { detail: `Another category has the slug ${added.slug}.` })
  if (categories.length >= maxCategories)
    throw new Problem(problems['too-many-categories'], {
      detail: `A shop has at most ${maxCategories} categories. Use one that is there, or delete one that is empty.`,
    })
  return checked([...categories, added], added)
}

/**
 * Changes the name or the place of a category. What is below it moves with it.
 * @throws Problem 400 if it would lie below itself or too deep, or its parent is none
 */
export function withChange(
  categories: Categories,
  category: CategoryState,
  { name = category.name, parentId = category.parentId }: CategoryPatch,
): { categories: CategoryState[]; changed: CategoryState } {
  const changed = { ...category, name, parentId, version: category.version + 1, updatedAt: new Date() }
  const all = categories.map((each) => (each.id === category.id ? changed : each))
  return { categories: checked(all, changed), changed }
}

/**
 * Removes a category.
 * @throws Problem 409 if there are others below it
 */
export function withoutCategory(categories: Categories, { id }: CategoryState): CategoryState[] {
  const below = categories.filter(({ parentId }) => parentId === id)
  if (below.length > 0)
    throw new Problem(problems['category-in-use'], {
      detail: `Below it is the category ${below[0]!.slug}. Move or delete what is below it first.`,
    })
  return categories.filter((each) => each.id !== id)
}

/** Returns the slugs of a category and of all that lie below it. An unknown slug has nothing below it. */
export function withAllBelow(categories: Categories, slug: string): string[] {
  const found = categories.filter((each) => each.slug === slug)
  for (const { id } of found) found.push(...categories.filter(({ parentId }) => parentId === id))
  return [slug, ...found.slice(1).map((each) => each.slug)]
}

/** Returns a function that returns the slugs of a category and of all that it lies below. */
export function withAllAbove(categories: Categories): (slug: string) => readonly string[] {
  const byId = new Map(categories.map((category) => [category.id, category]))
  const above = new Map(
    categories.map((category) => {
      const slugs = [category.slug]
      for (let each = category; each.parentId !== null;) {
        each = byId.get(each.parentId)!
        slugs.push(each.slug)
      }
      return [category.slug, slugs]
    }),
  )
  return (slug) => above.get(slug) ?? [slug]
}

/** Returns the categories in the order of the tree: each before what is below it, and by name beside each other. */
export function inTreeOrder(categories: Categories): CategoryState[] {
  const below = Map.groupBy(categories, ({ parentId }) => parentId)
  const from = (parentId: string | null): CategoryState[] =>
    (below.get(parentId) ?? [])
      .map((category) => [sortKey(category.name), category] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, category]) => [category, ...from(category.id)])
  return from(null)
}

/** Converts a category to the API's. */
export const toCategory = ({ createdAt, updatedAt, ...category }: CategoryState): Category => ({
  ...category,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})

/** Returns the categories if the changed one is well placed. */
function checked(categories: CategoryState[], changed: CategoryState): CategoryState[] {
  const byId = new Map(categories.map((category) => [category.id, category]))
  if (changed.parentId !== null && !byId.has(changed.parentId)) throw misplaced('there is no such category')
  const above = (category: CategoryState): number => {
    let depth = 1
    for (let { parentId } = category; parentId !== null; depth++) {
      if (parentId === category.id) throw misplaced('a category cannot lie below itself')
      parentId = byId.get(parentId)?.parentId ?? null
    }
    return depth
  }
  // first the changed one, from which a cycle would start
  for (const category of [changed, ...categories])
    if (above(category) > maxDepth)
      throw misplaced(`at most ${maxDepth} levels, with those below: ${category.slug} would be lower`)
  return categories
}

const misplaced = (detail: string) =>
  new Problem('invalid-request', {
    detail: 'The category cannot be put there.',
    errors: [{ pointer: '/body/parentId', detail }],
  })
