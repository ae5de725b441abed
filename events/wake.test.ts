import { expect, it } from 'vitest'
import { reactionsAfter } from './wake.ts'

it.each([
  ['order.placed', ['authorize-payment', 'confirm-order']],
  ['stock.reserved', ['confirm-order']],
  ['order.shipped', ['complete-order', 'commit-stock']],
  ['payment.captured', ['commit-stock']],
  ['order.cancelled', []],
])('finds the reactions that follow %s', (type, names) =>
  expect(reactionsAfter(type).toSorted()).toEqual(names.toSorted()),
)
