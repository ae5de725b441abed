import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'coupon-code-taken': [409, 'There is a coupon with this code'],
})
