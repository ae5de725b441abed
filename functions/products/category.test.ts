import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  inTreeOrder,
  maxCategories,
  maxDepth,
  newCategory,
  withAllBelow,
  withCategory,
  withChange,
  withoutCategory,
  type CategoryState,
} from './category.ts'

/** Returns a tree of categories, each given as `slug` or `slug < parent`. */
const treeOf = (...given: string[]): CategoryState[] =>
  given.reduce<CategoryState[]>((all, each) => {
    const [name = '', parent] = each.split(' < ')
    const parentId = all.find(({ slug }) => slug === parent)?.id ?? null
    return withCategory(all, newCategory({ name, parentId }))
  }, [])
const named = (all: CategoryState[], wanted: string) => all.find(({ slug }) => slug === wanted)!
const move = (all: CategoryState[], from: string, to: string | null) =>
  withChange(all, named(all, from), { parentId: to === null ? null : named(all, to).id }).categories

const bikes = treeOf('bikes', 'parts < bikes', 'chains < parts', 'brakes < parts', 'mugs')

describe('the tree of categories', () => {
  it('finds everything below a category, and only that', () => {
    expect(withAllBelow(bikes, 'bikes')).toEqual(['bikes', 'parts', 'chains', 'brakes'])
    expect(withAllBelow(bikes, 'chains')).toEqual(['chains'])
    expect(withAllBelow(bikes, 'unknown')).toEqual(['unknown'])
  })

  it('is listed from the top, by name beside each other', () => {
    const listed = inTreeOrder(treeOf('mugs', 'bikes', 'parts < bikes', 'Chains < parts', 'brakes < parts'))
    expect(listed.map(({ name }) => name)).toEqual(['bikes', 'parts', 'brakes', 'Chains', 'mugs'])
  })

  it('moves what is below with a category', () => {
    expect(withAllBelow(move(bikes, 'parts', 'mugs'), 'mugs')).toEqual(['mugs', 'parts', 'chains', 'brakes'])
    expect(withAllBelow(move(bikes, 'parts', null), 'bikes')).toEqual(['bikes'])
  })

  it('puts no category below itself', () => {
    for (const below of ['bikes', 'parts', 'chains'])
      expect(() => move(bikes, 'bikes', below)).toThrow('put there')
  })

  it(`has at most ${maxDepth} levels, also after a move`, () => {
    const deep = treeOf('1', '2 < 1', '3 < 2', '4 < 3', '5 < 4', 'a', 'b < a')
    expect(() => withCategory(deep, newCategory({ name: '6', parentId: named(deep, '5').id }))).toThrow(
      'put there',
    )
    expect(() => move(deep, 'a', '4')).toThrow('put there')
    expect(withAllBelow(move(deep, 'a', '3'), '4')).toEqual(['4', '5'])
  })

  it('has each slug once', () => {
    expect(() => withCategory(bikes, newCategory({ name: 'Mugs', parentId: null }))).toThrow('the slug mugs')
  })

  it(`has at most ${maxCategories} categories`, () => {
    const one = (n: number) => newCategory({ name: `Category ${n}`, parentId: null })
    const full = Array.from({ length: maxCategories }, (_, n) => one(n))
    expect(() => withCategory(full, one(maxCategories))).toThrow(`at most ${maxCategories}`)
  })

  it('keeps a category with others below it', () => {
    expect(() => withoutCategory(bikes, named(bikes, 'parts'))).toThrow('the category chains')
    expect(withoutCategory(bikes, named(bikes, 'chains'))).toHaveLength(4)
  })

  it('stays a tree of few levels, whatever is moved', () => {
    const places = fc.integer({ min: 0, max: 7 })
    fc.assert(
      fc.property(fc.array(fc.tuple(places, fc.option(places)), { maxLength: 30 }), (moves) => {
        let all = treeOf('0', '1', '2', '3', '4', '5', '6', '7')
        for (const [from, to] of moves) {
          try {
            all = move(all, String(from), to === null ? null : String(to))
          } catch {
            // refused, so nothing has changed
          }
          expect(inTreeOrder(all)).toHaveLength(8)
          const depth = (category: CategoryState): number =>
            category.parentId === null ? 1 : 1 + depth(all.find(({ id }) => id === category.parentId)!)
          expect(Math.max(...all.map(depth))).toBeLessThanOrEqual(maxDepth)
        }
      }),
    )
  })
})
