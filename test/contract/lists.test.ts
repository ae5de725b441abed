import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { domainNames, type OperationName } from '../../functions/table.ts'
import { expectInvalid, expectProblem } from '../problems.ts'
import { fixturesOf } from './known-fixtures.ts'
import { contractOf, isList, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

const lists = those(isList)

const otherCursor: [detail: string, errors: { pointer: string; detail: string }[]] = [
  'The cursor is of another list, sort or filter: start again without it.',
  [{ pointer: '/query/cursor', detail: 'not a cursor of this list, sort and filters' }],
]

// `isList`, and the tests of queries, hold for objects only
const querySchemaOf = (name: OperationName) =>
  contractOf(name).request.query as z.ZodObject<Record<string, z.ZodType>>

const parametersOf = (name: OperationName) => Object.keys(querySchemaOf(name).shape)

/** Whether a parameter may be given repeatedly. */
const isListed = (name: OperationName, parameter: string) =>
  (z.toJSONSchema(querySchemaOf(name).shape[parameter]!, { io: 'input' }) as { type?: string }).type ===
  'array'

/** Returns valid values of a parameter other than its default, as `name=value`. */
function otherValuesOf(name: OperationName, parameter: string): string[] {
  const schema = querySchemaOf(name)
  const { [parameter]: usual } = schema.parse({})
  const { enum: known = [uuidv7(), 'EUR', 'MUG'] } = z.toJSONSchema(schema.shape[parameter]!, {
    io: 'input',
  }) as { enum?: string[] }
  return known
    .filter((value) => value !== usual && schema.safeParse({ [parameter]: value }).success)
    .map((value) => `${parameter}=${value}`)
}

let contract: ContractShop
/** For each list, the cursor of its second page, with one item per page. */
const cursors = new Map<OperationName, string>()

const ask = async (name: OperationName, query: string) =>
  contract.send(name, {}, `${await contract.pathOf(name)}?${query}`)

sharing.beforeAll(async ({ shop }) => {
  contract = shop
  const resources = domainNames.flatMap((domain) => Object.values(fixturesOf(domain).resources))
  await Promise.all([...resources, ...resources].map((resource) => resource!.create(contract.shop)))
  for (const [name] of lists) {
    const { body } = await ask(name, 'limit=1')
    if (body.next !== undefined) cursors.set(name, body.next)
  }
})

describe('a query', () => {
  const unknown: [query: string, pointer: string][] = [
    ['colour=red', '/query/colour'],
    ['a%2Fb~c=1', '/query/a~1b~0c'],
  ]
  it.each(those((_, { request }) => request.query))('may have no unknown field: %s', async (name) => {
    for (const [query, pointer] of unknown)
      expectInvalid(await ask(name, query), { pointer, detail: 'there is no such field' })
  })

  it.each(those((_, { request }) => request.query))('may have no parameter twice: %s', async (name) => {
    const single = parametersOf(name).filter((parameter) => !isListed(name, parameter))
    for (const parameter of [...single, 'colour'])
      for (const query of [`${parameter}=1&${parameter}=1`, `${parameter}&x=y&${parameter}=2`])
        expectInvalid(await ask(name, query), {
          pointer: `/query/${parameter}`,
          detail: 'given more than once',
        })
  })
})

describe('a query', () => {
  const utf8 = 'must be percent-encoded UTF-8'
  const unkeepable: [query: string, pointer: string, detail: string][] = [
    ['limit=%ff', '/query/limit', utf8],
    ['limit=1&x=%ed%a0%80', '/query/x', utf8],
    ['%zz=1', '/query/%zz', utf8],
    ['x=%', '/query/x', utf8],
    ['x=a%00b', '/query/x', 'must not contain U+0000'],
  ]
  it.each(those((_, { request }) => request.query))('must be text that can be stored: %s', async (name) => {
    for (const [query, pointer, detail] of unkeepable)
      expectInvalid(await ask(name, query), { pointer, detail })
  })
})

describe('a list', () => {
  const wrong: [query: string, pointer: string, detail: string][] = [
    ['limit=0', '/query/limit', 'Too small: expected number to be >=1'],
    ['limit=-1', '/query/limit', 'Too small: expected number to be >=1'],
    ['limit=1e9', '/query/limit', 'Too big: expected number to be <=100'],
    ['limit=1.5', '/query/limit', 'Invalid input: expected int, received number'],
    ['limit=many', '/query/limit', 'Invalid input: expected number, received NaN'],
    [`cursor=${'a'.repeat(1_501)}`, '/query/cursor', 'Too big: expected string to have <=1500 characters'],
  ]
  it.each(lists)('has pages of 1 to 100 items and cursors of limited length: %s', async (name) => {
    for (const [query, pointer, detail] of wrong) expectInvalid(await ask(name, query), { pointer, detail })
  })

  it.each(lists)('continues at its cursor and returns no item twice: %s', async (name) => {
    const first = await ask(name, 'limit=1')
    expect(first.body.items).toHaveLength(1)
    expect(first.headers.get('link')).toMatch(/^<\/\S+[?&]cursor=\S+>; rel="next"$/)
    const second = await ask(name, `limit=1&cursor=${first.body.next}`)
    expect(second.body.items).toHaveLength(1)
    expect(second.body.items).not.toEqual(first.body.items)
  })

  it.each(lists)('refuses invalid cursors and those of other lists: %s', async (name) => {
    const others = [...cursors].filter(([list]) => list !== name).map(([, cursor]) => cursor)
    expect(others).toHaveLength(lists.length - 1)
    // well-formed, but not a cursor of any list
    const nowhere = Buffer.from(JSON.stringify([uuidv7()])).toString('base64url')
    const none = ['nonsense', 'e30', 'W10', 'bnVsbA', '%F0%9F%A5%A3', nowhere]
    for (const cursor of [...others, ...none])
      expectProblem(await ask(name, `cursor=${cursor}`), 'invalid-request', ...otherCursor)
  })

  const choicesOf = (name: OperationName) =>
    parametersOf(name).filter((parameter) => parameter !== 'limit' && parameter !== 'cursor')
  const withChoices = lists.filter(([name]) => choicesOf(name).length > 0)
  it.each(withChoices)('refuses cursors of another sort or filter: %s', async (name) => {
    const cursor = cursors.get(name)!
    const changes = choicesOf(name).flatMap((parameter) => otherValuesOf(name, parameter))
    expect(changes.length).toBeGreaterThan(0)
    for (const change of changes)
      expectProblem(await ask(name, `limit=1&${change}&cursor=${cursor}`), 'invalid-request', ...otherCursor)
  })

  it.each(lists)(
    'accepts a cursor with another limit, or a default that is written out: %s',
    async (name) => {
      const sort = querySchemaOf(name).parse({})['sort']
      const query = `limit=2${typeof sort === 'string' ? `&sort=${sort}` : ''}`
      expect((await ask(name, `${query}&cursor=${cursors.get(name)}`)).status).toBe(200)
    },
  )
})
