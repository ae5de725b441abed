import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import type { EventSpec } from '../functions/shared/domain.ts'
import { catalogue } from './catalogue.ts'

/*
 * Events stay in the stream, the outbox and dead letters, where nothing can be anonymised. So they refer to people by
 * their ids and contain no field that a person can fill with text.
 */

/** The only texts. None is written by, or about, a customer. */
const texts: Readonly<Record<string, string>> = {
  'product.created /name': 'what is for sale is public',
  'product.updated /name': 'what is for sale is public',
  'product.created /category': 'what is for sale is public',
  'product.updated /category': 'what is for sale is public',
  'payment.declined /reason': 'the payment provider’s',
  'payment.capture-failed /reason': 'the payment provider’s',
  'order.cancelled /reason':
    'the system’s: a person’s reason stays with the order (functions/orders/store.ts)',
  'invoice.issued /number': 'the shop’s own numbering',
  'credit-note.issued /number': 'the shop’s own numbering',
  'order.placed /cardToken': 'of earlier versions',
  'stock.reserved /cardToken': 'of earlier versions',
  'parcel.shipped /carrier': 'the name of a company, in a form that staff cannot fill with a sentence',
  'parcel.shipped /trackingNumber':
    'a code of the carrier’s, which alone tells whom it stands for, and forgets that after some months',
}

/** What may be in any event: codes that are defined elsewhere. */
const codes = new Set(['sku', 'currency'])

interface JsonSchema {
  type?: string
  format?: string
  enum?: unknown[]
  const?: unknown
  items?: JsonSchema
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  additionalProperties?: unknown
}

/** Returns the pointers of the values in a schema that may be any text, or of any shape. */
function textsIn(schema: JsonSchema, pointer = ''): string[] {
  if (schema.type === 'object' && schema.additionalProperties === false)
    return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
      textsIn(field, `${pointer}/${name}`),
    )
  if (schema.type === 'array') return textsIn(schema.items ?? {}, `${pointer}/0`)
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((one) => textsIn(one, pointer))
  if (['integer', 'boolean', 'null'].includes(schema.type ?? '')) return []
  const isFixed = schema.format === 'uuid' || schema.enum !== undefined || schema.const !== undefined
  return isFixed || codes.has(pointer.split('/').at(-1)!) ? [] : [pointer]
}

const found = Object.entries<EventSpec>(catalogue).flatMap(([type, { data }]) =>
  textsIn(z.toJSONSchema(data, { io: 'input' }) as JsonSchema).map((pointer) => `${type} ${pointer}`),
)

describe('an event', () => {
  it('contains no text that could name a person, unless it is explained here', () => {
    expect(found.toSorted()).toEqual(Object.keys(texts).toSorted())
  })

  it('would be found to contain one', () => {
    const data = z.strictObject({
      orderId: z.uuid(),
      to: z.strictObject({ name: z.string() }),
      more: z.any(),
    })
    expect(textsIn(z.toJSONSchema(data) as JsonSchema)).toEqual(['/to/name', '/more'])
  })
})
