import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { readCategories } from './category-store.ts'
import { Category, inTreeOrder, maxCategories, toCategory } from './category.ts'

const Categories = z
  .object({
    items: z.array(Category).meta({
      description: `All categories, at most ${maxCategories}: each before those below it, and by name beside each other.`,
    }),
  })
  .meta({ id: 'Categories' })

export const listCategories = operation(
  'list-categories',
  {
    request: {},
    responses: { 200: Categories },
    headers: ['ETag'],
  },
  async ({ json }, { categories: trees }) => {
    const { version, categories } = await readCategories(trees)
    return json({ items: inTreeOrder(categories).map(toCategory) }, 200, {
      ETag: etag(version),
      // caches may store the answer, but must revalidate it each time
      'Cache-Control': 'public, no-cache',
    })
  },
)
