import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'sku-taken': [409, 'The SKU is taken'],
})
