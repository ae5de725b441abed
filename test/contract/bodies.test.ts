import { describe, it } from 'vitest'
import { expectInvalid, expectProblem } from '../problems.ts'
import { bodiesOf } from './known-fixtures.ts'
import { takesBody, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

const notJson = 'The body is not valid JSON.'
const tooDeep = 'The body nests deeper than 32 levels.'
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

const unreadable: [body: string, detail: string][] = [
  ['', notJson],
  ['{"name": "A', notJson],
  ['{"name":"Ada",}', notJson],
  ['{}{}', notJson],
  // invalid UTF-8
  ['\u00ff\u00fe', notJson],
  [nested(10_000), tooDeep],
  [`{"a":${nested(10_000)}}`, tooDeep],
  [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, tooDeep],
]

describe('a body', () => {
  const taking = those(takesBody)

  it.each(taking)('must have the content type of JSON: %s', async (name) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'json', ''])
      expectProblem(
        await contract.send(name, { headers: { 'content-type': type } }),
        'not-json',
        'Send the body with Content-Type: application/json.',
      )
  })

  it.each(taking)('must be valid JSON and not too deep: %s', async (name) => {
    for (const [body, detail] of unreadable)
      expectProblem(await contract.send(name, { body }), 'invalid-request', detail, [
        { pointer: '/body', detail },
      ])
  })

  it.each(taking)('is required: %s', async (name) =>
    expectProblem(
      await contract.send(name, { body: undefined, headers: { 'content-type': 'application/json' } }),
      'invalid-request',
      notJson,
      [{ pointer: '/body', detail: notJson }],
    ),
  )

  it.each(taking)('must be an object: %s', async (name) => {
    for (const [body, received] of [
      ['[]', 'array'],
      ['null', 'null'],
      ['"text"', 'string'],
      ['1', 'number'],
    ] as const)
      expectInvalid(await contract.send(name, { body }), {
        pointer: '/body',
        detail: `Invalid input: expected object, received ${received}`,
      })
  })

  it.each(taking)('may have no unknown field: %s', async (name) => {
    const [good] = bodiesOf(name)
    const detail = 'there is no such field'
    for (const [field, pointer] of [
      ['colour', '/body/colour'],
      ['a/b~c', '/body/a~1b~0c'],
      ['constructor', '/body/constructor'],
    ] as const)
      expectInvalid(await contract.send(name, { body: { ...good, [field]: 1 } }), { pointer, detail })
    // added as text, because JSON.stringify would leave it out
    const comma = Object.keys(good).length > 0 ? ',' : ''
    const body = JSON.stringify(good).replace(/\}$/, `${comma}"__proto__":{}}`)
    expectInvalid(await contract.send(name, { body }), { pointer: '/body/__proto__', detail })
  })
})
