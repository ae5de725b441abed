import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'wrong-credentials': [401, 'The e-mail address or password is wrong'],
  'wrong-password': [403, 'The current password is wrong'],
  'wrong-token': [403, 'The token is not valid'],
  'email-taken': [409, 'The e-mail address is taken'],
  'email-verified': [409, 'The e-mail address is verified already'],
  'last-admin': [409, 'The shop needs an admin'],
})
