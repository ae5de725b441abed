import * as z from 'zod'
import { declareProblems } from '../shared/http/problems.ts'
import { Amount, Sku } from '../shared/schemas/schemas.ts'
import { Subtotal } from './cart.ts'

const currentLines = z
  .array(z.object({ sku: Sku, unitPrice: Amount }))
  .meta({ description: 'What is in the cart, at the current prices, in minor units.' })

export const problems = declareProblems({
  'cross-site-request': [403, 'Another site may not change the cart'],
  'cart-full': [409, 'The cart is full'],
  'cart-empty': [409, 'The cart is empty'],
  'cart-changed': [
    409,
    'The cart costs something else than the customer saw',
    { lines: currentLines, subtotal: Subtotal },
  ],
  'products-gone': [409, 'Some products are no longer sold', { skus: z.array(Sku) }],
  'cart-mixes-currencies': [422, 'A cart has one currency'],
})
