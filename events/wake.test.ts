import { expect, it } from 'vitest'
import { reactionsAfter } from './wake.ts'

it.each([
  ['order.placed', ['authorize-payment', 'confirm-order']],
  ['stock.reserved', ['confirm-order']],
  ['order.shipped', ['complete-order']],
  ['payment.captured', []],
  ['order.cancelled', []],
])('knows what is needed after %s', (type, names) => expect(reactionsAfter(type)).toEqual(names))
