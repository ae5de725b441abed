import * as z from 'zod'
import { declareProblems } from '../shared/http/problems.ts'
import { removalReasons } from './events.ts'

export const problems = declareProblems({
  'sku-taken': [409, 'The SKU is taken'],
  'change-not-announced': [503, 'The change is made, but orders may not know it yet'],
  'variant-taken': [409, 'Another variant has these options'],
  'too-many-variants': [409, 'The product has too many variants'],
  'slug-taken': [409, 'The slug is taken'],
  'category-in-use': [409, 'The category is in use'],
  'too-many-categories': [409, 'The shop has too many categories'],
  'purchase-needed': [409, 'Only those who have bought a product review it'],
  'already-reviewed': [
    409,
    'A customer reviews a product once',
    { review: z.string().meta({ description: 'Where the review is.' }) },
  ],
  'review-removed': [409, 'Staff have removed the review', { reason: z.enum(removalReasons) }],
})
