import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'sku-taken': [409, 'The SKU is taken'],
  'change-not-announced': [503, 'The change is made, but orders may not know it yet'],
})
