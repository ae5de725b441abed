import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { uuidv7 } from 'uuidv7'
import { bodiesOf, resourceOf } from './known-fixtures.ts'
import { contractOf, namesResource, rows, takesBody, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

/** Returns the schemas of all values in a schema, by their pointers. */
function fieldsOf(schema: z.core.$ZodType, pointer: string): [pointer: string, schema: z.core.$ZodType][] {
  if (schema instanceof z.ZodObject)
    return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([name, field]) =>
      fieldsOf(field, `${pointer}/${name}`),
    )
  if (schema instanceof z.ZodArray) return fieldsOf(schema.element, `${pointer}/0`)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return fieldsOf(schema.unwrap(), pointer)
  return [[pointer, schema]]
}

const fields = rows.flatMap(([name]) =>
  Object.entries(contractOf(name).request).flatMap(([part, schema]) =>
    fieldsOf(schema, `/${part}`).map(([pointer, field]) => [name, pointer, field] as const),
  ),
)

describe('an id', () => {
  const takesOnlyIds = (field: z.core.$ZodType) =>
    z.safeParse(field, uuidv7()).success && !z.safeParse(field, uuidv7().replace(/^./, 'x')).success
  const ids = fields.filter(([, , field]) => takesOnlyIds(field))

  it.each(ids)('is read in any case and compared in lower case: %s %s', (_, __, field) => {
    const id = uuidv7()
    expect(z.parse(field, id.toUpperCase())).toBe(id)
  })
})

describe('a SKU', () => {
  const skus = fields.filter(([, pointer]) => pointer.endsWith('/sku'))

  it.each(skus)('is read in any case and compared in upper case: %s %s', (_, __, field) => {
    expect(z.parse(field, 'Mug-blue')).toBe('MUG-BLUE')
  })
})

describe('a resource', () => {
  const readable = those((row, { contentType }) => row.method === 'get' && namesResource(row) && !contentType)

  it.each(readable)('is the same in capitals and in small letters: %s', async (name) => {
    const { status, text } = await contract.send(name)
    expect(status).toBe(200)
    const parameters = await contract.parametersOf(name)
    for (const change of ['toUpperCase', 'toLowerCase'] as const) {
      const path = await contract.pathOf(name, inCase(parameters, change))
      const answer = await contract.send(name, {}, path)
      expect(answer).toMatchObject({ status, text })
    }
  })

  const others = those((row) => row.method !== 'get' && namesResource(row))

  it.each(others)('is found in capitals, too: %s', async (name, row) => {
    const statuses: number[] = []
    for (const change of ['toUpperCase', 'toLowerCase'] as const) {
      const { parameters, owner } = await resourceOf(row)!.create(contract.shop)
      const { as } = await contract.callerOf(name)
      const caller = typeof as === 'object' && owner !== undefined ? { ...as, id: owner } : as
      const path = await contract.pathOf(name, inCase(parameters, change))
      const body = takesBody(row, contractOf(name)) ? { body: bodiesOf(name)[0] } : {}
      statuses.push((await contract.shop[row.method](path, { as: caller, ifMatch: '*', ...body })).status)
    }
    const [inCapitals, inSmall] = statuses
    expect(inCapitals).toBe(inSmall)
    expect(inCapitals).not.toBe(404)
  })

  it.each(those((row) => row.idempotent && namesResource(row)))(
    'is the same for an Idempotency-Key: %s',
    async (name, row) => {
      const { parameters, owner } = await resourceOf(row)!.create(contract.shop)
      const { as } = await contract.callerOf(name)
      const caller = typeof as === 'object' && owner !== undefined ? { ...as, id: owner } : as
      const sent = { as: caller, key: uuidv7(), body: bodiesOf(name)[0] }
      const [first, again] = [
        await contract.send(name, sent, await contract.pathOf(name, inCase(parameters, 'toUpperCase'))),
        await contract.send(name, sent, await contract.pathOf(name, inCase(parameters, 'toLowerCase'))),
      ]
      expect(again).toMatchObject({ status: 201, text: first.text })
      expect(again.headers.get('idempotency-replayed')).toBe('true')
    },
  )
})

const inCase = (parameters: Readonly<Record<string, string>>, change: 'toUpperCase' | 'toLowerCase') =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value[change]()]))
