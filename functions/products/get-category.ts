import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { categoryIn, readCategories } from './category-store.ts'
import { Category, toCategory } from './category.ts'

export const getCategory = operation(
  'get-category',
  {
    request: { params: IdParam },
    responses: { 200: Category },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, json }, { categories }) => {
    const category = categoryIn(await readCategories(categories), params.id)
    return json(toCategory(category), 200, {
      ETag: etag(category.version),
      // caches may store the answer, but must revalidate it each time
      'Cache-Control': 'public, no-cache',
    })
  },
)
