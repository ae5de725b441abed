import { operation } from '../shared/http/operation.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { categoryIn, changeTree } from './category-store.ts'
import { Category, CategoryPatch, toCategory, withChange, type CategoryState } from './category.ts'

export const updateCategory = operation(
  'update-category',
  {
    request: { params: IdParam, body: CategoryPatch },
    responses: { 200: Category },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body, json, hono }, { categories: trees }) => {
    const wanted = ifMatch(hono)
    let updated!: CategoryState
    await changeTree(trees, (tree) => {
      const category = categoryIn(tree, params.id)
      checkVersion(wanted, category.version)
      const { categories, changed } = withChange(tree.categories, category, body)
      updated = changed
      return { categories }
    })
    return json(toCategory(updated), 200, { ETag: etag(updated.version) })
  },
)
