import * as z from 'zod'
import { fold } from '../shared/fold.ts'
import { Problem } from '../shared/http/problems.ts'
import { isVisible, text } from '../shared/schemas/schemas.ts'

/**
 * Variants: products that differ in options such as size and colour, each with its own SKU, price and stock. They share
 * a group, whose id is that of the first of them. Everything here is pure.
 */

const maxOptions = 5
/** How many variants a group has at most. */
export const maxVariants = 100

// the control characters are spelled out, because not every reader of the OpenAPI document knows \p{Cc}
// oxlint-disable-next-line no-control-regex
const optionName = /^[^$.\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]{1,50}$/u

export const Options = z
  .record(
    z
      .string()
      .regex(optionName, '1 to 50 characters, without $, dot, control characters and bidirectional overrides')
      .refine(isVisible, 'needs a character that can be seen'),
    text(100),
  )
  .refine((options) => Object.keys(options).length <= maxOptions, `at most ${maxOptions}`)
  .meta({
    description:
      'In what it differs from the other variants of its group. All of them have the same options.',
    propertyNames: { pattern: optionName.source },
    maxProperties: maxOptions,
    example: { size: 'M', colour: 'blue' },
  })
export type Options = z.infer<typeof Options>

/** Returns a key that is the same for the same options, however they are written. Undefined if there are none. */
export function optionsKey(options: Options): string | undefined {
  const folded = Object.entries(options).map(([name, value]) => [fold(name), fold(value)])
  return folded.length === 0 ? undefined : JSON.stringify(folded.toSorted(([a], [b]) => (a! < b! ? -1 : 1)))
}

/** Returns options as a person would say them. */
export const named = (options: Options): string =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

/** @throws Problem 400 if a variant does not have the same options as another one of its group */
export function checkOptions(options: Options, other: Options): void {
  const [given, wanted] = [options, other].map((each) => Object.keys(each).toSorted())
  if (JSON.stringify(given) === JSON.stringify(wanted)) return
  throw new Problem('invalid-request', {
    detail: 'All variants have the same options, each with its own values.',
    errors: [{ pointer: '/body/options', detail: `the variants have the options ${wanted!.join(', ')}` }],
  })
}
