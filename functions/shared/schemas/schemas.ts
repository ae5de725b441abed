import { CountryCodes } from 'validator/lib/isISO31661Alpha2.js'
import * as z from 'zod'

/** Schemas that more than one domain uses. */

/** Read in any case, compared and answered in lower case. */
export const Id = z
  .uuid()
  .toLowerCase()
  .meta({ description: 'UUIDv7', example: '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e' })

export const IdParam = z.object({ id: Id })

export const Timestamp = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })

const oneOf = (codes: Iterable<string>) => new RegExp(`^(?:${[...codes].join('|')})$`)

/** An ISO 4217 code of a currency that is in use. Node's ICU data has the list. */
export const Currency = z
  .string()
  .regex(oneOf(Intl.supportedValuesOf('currency')), 'an ISO 4217 code such as EUR')
  .meta({ example: 'EUR' })

/** An ISO 3166-1 code. */
export const Country = z
  .string()
  .regex(oneOf(CountryCodes), 'an ISO 3166-1 code such as DE')
  .meta({ example: 'DE' })

/** An amount in minor units (cents), so that sums are exact. The maximum keeps every sum below 2^53. */
export const Amount = z.int().min(0).max(1_000_000_000)

export const Money = z.strictObject({ amount: Amount, currency: Currency }).meta({ id: 'Money' })
export type Money = z.infer<typeof Money>

/** Read in any case, stored and answered in upper case: SKUs that differ only in case are the same. */
export const Sku = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, dash and underscore, at most 64')
  .toUpperCase()
  .meta({ description: 'In any case; answered in upper case.', example: 'MUG-BLUE' })

export const Quantity = z.int().min(1).max(10_000)

/** Control characters, and those that reorder the text around them (Unicode Technical Report 36, 3). */
// oxlint-disable-next-line no-control-regex
const printable = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$/

/** A character that is neither a space, a mark nor invisible. U+2800 is an empty Braille pattern. */
const visible = /[^\p{Cc}\p{Cf}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Returns whether a text has something to see. */
export const isVisible = (text: string) => visible.test(text)

/**
 * Returns the schema of a text written by a person. It is trimmed, must have something visible, and must not
 * contain control characters.
 * @param max the maximum length; `min` is the minimum length
 */
export const text = (max: number, min = 1) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .regex(printable, 'no control characters or bidirectional overrides')
    .refine((value) => value === '' || isVisible(value), 'needs a character that can be seen')

/**
 * Returns the schema of a change, in which at least one field must be given.
 * @param id its name in the OpenAPI document
 */
export const changeOf = <S extends z.ZodRawShape>(shape: S, id: string) =>
  z
    .strictObject(shape)
    .refine((change) => Object.keys(change).length > 0, {
      error: 'nothing to change',
      // a field that does not exist is reported instead
      when: ({ issues }) => issues.length === 0,
    })
    .meta({ id, minProperties: 1 })

/** Returns a condition in JSON Schema, for what the OpenAPI document’s generator cannot know. */
// oxlint-disable-next-line unicorn/no-thenable
export const when = (condition: object, then: object) => ({ if: condition, then })

export const Address = z
  .strictObject({
    name: text(200),
    street: text(200),
    postalCode: text(20),
    city: text(100),
    country: Country,
  })
  .meta({ id: 'Address' })
export type Address = z.infer<typeof Address>
