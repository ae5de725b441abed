import * as z from 'zod'
import { declareProblems } from '../shared/http/problems.ts'
import { Amount, Money, Sku } from '../shared/schemas/schemas.ts'

const currentLines = z
  .array(z.object({ sku: Sku, unitPrice: Amount }))
  .meta({ description: 'The lines of the request, at the current prices, in minor units.' })

export const problems = declareProblems({
  'wrong-order-status': [409, 'The order’s status does not allow this'],
  'nothing-to-decide': [409, 'There is nothing to decide'],
  'price-changed': [
    409,
    'The order would cost something else than the customer expects',
    { lines: currentLines, total: Money },
  ],
  'too-many-notes': [409, 'Too many notes'],
  'customer-deleted': [409, 'The customer is deleted'],
  'cart-ordered': [409, 'The cart was ordered before'],
  'too-many-unpaid': [
    409,
    'Too many pieces wait to be paid',
    {
      unpaid: z.int().meta({ description: 'How many pieces the customer’s unpaid orders contain.' }),
      allowed: z.int().meta({ description: 'How many they may contain.' }),
    },
  ],
  'unknown-sku': [422, 'The shop has no such SKU'],
  'unknown-customer': [422, 'The shop has no such customer'],
  'mixed-currencies': [422, 'An order has one currency'],
  'order-too-large': [422, 'The order is too large'],
  'unknown-shipping-method': [422, 'The shop has no such shipping method'],
  'shipping-not-available': [422, 'The order cannot be shipped so'],
  'tax-rate-in-force': [409, 'There is a rate from this day on, and it is in force'],
})
