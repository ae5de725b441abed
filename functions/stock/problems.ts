import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'stock-too-low': [409, 'The stock is too low'],
})
