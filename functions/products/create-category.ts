import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { addOnce } from './category-store.ts'
import { Category, newCategory, NewCategory, toCategory } from './category.ts'
import { problems } from './problems.ts'

export const createCategory = operation(
  'create-category',
  {
    request: { body: NewCategory },
    responses: { 201: Category },
    problems: [problems['slug-taken'], problems['too-many-categories']],
    headers: ['ETag', 'Location'],
  },
  async ({ body, key, json }, { categories }) => {
    const category = newCategory(body)
    const response = json(toCategory(category), 201, {
      ETag: etag(category.version),
      Location: `/api/v1/categories/${category.id}`,
    })
    return addOnce(categories, category, key, response)
  },
)
