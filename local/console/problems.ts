import { declareProblems } from '../../functions/shared/http/problems.ts'

export const consoleProblems = declareProblems({
  'other-page': [403, 'Only the console’s own page may do this'],
})
