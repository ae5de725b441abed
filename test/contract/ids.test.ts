import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { uuidv7 } from 'uuidv7'
import { contractOf, namesResource, rows, those } from './operations.ts'
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
    const parameters = Object.entries(await contract.parametersOf(name))
    for (const change of ['toUpperCase', 'toLowerCase'] as const) {
      const changed = Object.fromEntries(parameters.map(([name, value]) => [name, value[change]()]))
      const answer = await contract.send(name, {}, await contract.pathOf(name, changed))
      expect(answer).toMatchObject({ status, text })
    }
  })
})
