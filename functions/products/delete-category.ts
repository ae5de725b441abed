import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { checkVersion, ifMatch } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { categoryIn, changeTree, readCategories } from './category-store.ts'
import { withCategory, withoutCategory, type CategoryState } from './category.ts'
import { problems } from './problems.ts'

export const deleteCategory = operation(
  'delete-category',
  {
    request: { params: IdParam },
    responses: { 204: null },
    problems: ['not-found', 'stale-version', problems['category-in-use']],
  },
  async ({ params, empty, hono }, { categories: trees, products }) => {
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    const deleted = categoryIn(await readCategories(trees), params.id)
    const refuseIfUsed = async () => {
      const used = await products.findOne(
        { category: deleted.slug, deletedAt: null },
        { projection: { sku: 1 } },
      )
      if (used === null) return
      throw new Problem(problems['category-in-use'], {
        detail: `The product ${used.sku} is in it. Put its products into other categories first.`,
      })
    }
    checkVersion(wanted, deleted.version)
    await refuseIfUsed()
    await changeTree(trees, (tree) => {
      const category = categoryIn(tree, params.id)
      checkVersion(wanted, category.version)
      return { categories: withoutCategory(tree.categories, category) }
    })
    // a product that was put into it meanwhile keeps it
    await refuseIfUsed().catch(async (error: unknown) => {
      await changeTree(trees, ({ categories }) =>
        categories.some(({ slug }) => slug === deleted.slug)
          ? {}
          : { categories: withCategory(categories, atTopUnless(categories, deleted)) },
      )
      throw error
    })
    return empty()
  },
)

/** Returns a category, at the top of the tree if the one above it is gone. */
const atTopUnless = (categories: readonly CategoryState[], category: CategoryState): CategoryState =>
  categories.some(({ id }) => id === category.parentId) ? category : { ...category, parentId: null }
