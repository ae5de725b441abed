import { expect, it } from 'vitest'
import { traceparentOf } from './trace-context.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'

it.each(['00', '01', '02', '03', 'ff'])('keeps a valid traceparent with the flags %s', (flags) => {
  expect(traceparentOf(`00-${trace}-${parent}-${flags}`)).toBe(`00-${trace}-${parent}-${flags}`)
})

it.each([
  [`01-${trace}-${parent}-01`, '01'],
  [`cc-${trace}-${parent}-ff-what-the-future-brings`, '01'],
  [`01-${trace}-${parent}-02-${'x'.repeat(12_000)}`, '00'],
])('keeps of a later version only what version 00 has: %.70s', (value, flags) => {
  expect(traceparentOf(value)).toBe(`00-${trace}-${parent}-${flags}`)
})

it.each([
  undefined,
  42,
  '',
  '00',
  `00-${trace}-${parent}`,
  `00-${trace}-${parent}-01-more`,
  `00-${trace}-${parent}-01-`,
  `00-${trace}-${parent}-01${'0'.repeat(12_000)}`,
  `00-${trace}-${parent}-1`,
  `00-${trace.toUpperCase()}-${parent}-01`,
  `00-${trace}-${parent}-0G`,
  `00-${'0'.repeat(32)}-${parent}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `ff-${trace}-${parent}-01`,
  `01-${trace}-${parent}-01.more`,
  `00-${trace}-${parent}-01, 00-${trace}-${parent}-01`,
  ` 00-${trace}-${parent}-01`,
])('drops what is not valid: %.80s', (value) => expect(traceparentOf(value)).toBeUndefined())
