import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'wrong-credentials': [401, 'The e-mail address or password is wrong'],
  'wrong-password': [403, 'The current password is wrong'],
  'email-taken': [409, 'The e-mail address is taken'],
  'last-admin': [409, 'The shop needs an admin'],
})
