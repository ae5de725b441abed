import { expect, it } from 'vitest'
import { reactionsAfter } from './wake.ts'

it.each([
  ['order.placed', ['authorize-payment', 'confirm-order', 'track-order']],
  ['stock.reserved', ['confirm-order']],
  ['order.shipped', ['complete-order', 'commit-stock']],
  ['payment.captured', ['commit-stock']],
  ['order.cancelled', []],
])('knows what is needed after %s', (type, names) =>
  expect(reactionsAfter(type).toSorted()).toEqual(names.toSorted()),
)
