import { describe, expect, it } from 'vitest'
import { isOptional } from '../../functions/shared/http/validate.ts'
import type { OperationName } from '../../functions/table.ts'
import { expectInvalid, expectProblem } from '../problems.ts'
import { bodiesOf, resourceOf } from './known-fixtures.ts'
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
  ['{"name": "A', notJson],
  ['{"name":"Ada",}', notJson],
  ['{}{}', notJson],
  ['\u00ff\u00fe', notJson],
  [nested(10_000), tooDeep],
  [`{"a":${nested(10_000)}}`, tooDeep],
  [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, tooDeep],
]

/** Returns copies of a body in which one string is replaced, each with the pointer to it. */
function* withText(
  body: unknown,
  text: string,
  pointer = '/body',
): Generator<[pointer: string, body: unknown]> {
  if (typeof body === 'string') yield [pointer, text]
  if (typeof body !== 'object' || body === null) return
  for (const [key, value] of Object.entries(body))
    for (const [at, changed] of withText(value, text, `${pointer}/${key}`))
      yield [at, Array.isArray(body) ? body.with(Number(key), changed) : { ...body, [key]: changed }]
}

async function authorizationOf(name: OperationName): Promise<Record<string, string>> {
  const { as } = await contract.callerOf(name)
  const user = typeof as === 'string' ? contract.shop.users[as] : as
  return user === undefined ? {} : { authorization: `Bearer ${await contract.shop.sign(user)}` }
}

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

  const [optional, required] = [true, false].map((is) =>
    those((_, { request }) => request.body && isOptional(request.body) === is),
  )

  it.each(required!)('is required: %s', async (name) => {
    for (const body of [undefined, ''])
      expectProblem(
        await contract.send(name, { body, headers: { 'content-type': 'application/json' } }),
        'invalid-request',
        notJson,
        [{ pointer: '/body', detail: notJson }],
      )
  })

  it.each(optional!)('may be omitted, because {} is valid: %s', async (name, row) => {
    // a resource of its own, because it is changed
    const created = await resourceOf(row)?.create(contract.shop)
    const path = await contract.pathOf(name, created?.parameters)
    const { status, text } = await contract.send(name, { body: {} }, path)
    for (const headers of [{ 'content-type': 'application/json' }, {}])
      expect(await contract.send(name, { body: undefined, headers }, path)).toMatchObject({ status, text })
  })

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

  it.each(taking)('must be valid UTF-8: %s', async (name) => {
    const body = Buffer.from(JSON.stringify({ ...bodiesOf(name)[0], name: 'Jürgen' }), 'latin1')
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
    const detail = 'The body is not valid UTF-8.'
    expectProblem(
      await contract.sendRaw(name, { ...headers, ...(await authorizationOf(name)) }, [body]),
      'invalid-request',
      detail,
      [{ pointer: '/body', detail }],
    )
  })

  it.each(taking)('must be declared as UTF-8, if it declares a charset: %s', async (name) => {
    for (const charset of ['iso-8859-1', 'utf-16', '"latin1"']) {
      const answer = await contract.send(name, {
        headers: { 'content-type': `application/json; charset=${charset}` },
      })
      const detail = `Send the body in UTF-8, not in ${charset.replaceAll('"', '')}.`
      expectProblem(answer, 'unsupported-charset', detail)
      expect(answer.headers.get('accept')).toBe('application/json')
    }
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8'])
      expectProblem(
        await contract.send(name, {
          body: '{',
          headers: { 'content-type': `application/json; charset=${charset}` },
        }),
        'invalid-request',
        notJson,
        [{ pointer: '/body', detail: notJson }],
      )
  })

  it.each(taking)('must not be compressed: %s', async (name) => {
    const answer = await contract.send(name, { headers: { 'content-encoding': 'gzip' } })
    expectProblem(answer, 'unsupported-encoding', 'Send the body as it is, without Content-Encoding: gzip.')
    expect(answer.headers.get('accept-encoding')).toBe('identity')
  })

  it.each(taking)('must have no text that cannot be stored, in any field: %s', async (name) => {
    const half = 'must not contain half of a surrogate pair: escape both halves, or neither'
    for (const body of bodiesOf(name))
      for (const [text, detail] of [
        ['a\ud800', half],
        ['\udc00\ud800', half],
        ['a\u0000b', 'must not contain U+0000'],
      ] as const)
        for (const [pointer, changed] of withText(body, text))
          expectInvalid(await contract.send(name, { body: changed }), { pointer, detail })
    expectInvalid(await contract.send(name, { body: { 'a\ud800': 1 } }), {
      pointer: '/body/a\ud800',
      detail: `the name of the field: ${half}`,
    })
  })

  it.each(taking)('must have text that can be seen, in its right order: %s', async (name) => {
    const [body] = bodiesOf(name)
    for (const text of ['\u200b\u2060\u00ad', '\u3164', '\u2800', 'a\u202eb', '\u2067a'])
      for (const [pointer, changed] of withText(body, text)) {
        // nobody reads these
        if (/password|token/i.test(pointer)) continue
        const answer = await contract.send(name, { body: changed, ifMatch: '*' })
        expect([text, answer.status, answer.body.errors[0].pointer]).toEqual([text, 400, pointer])
      }
  })
})
