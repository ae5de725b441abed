import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'wrong-credentials': [401, 'The e-mail address or password is wrong'],
  'second-factor-needed': [401, 'A second factor is needed'],
  'wrong-code': [403, 'The code is wrong'],
  'wrong-password': [403, 'The current password is wrong'],
  'wrong-token': [403, 'The token is not valid'],
  'email-taken': [409, 'The e-mail address is taken'],
  'email-verified': [409, 'The e-mail address is verified already'],
  'second-factor-on': [409, 'The second factor is on'],
  'second-factor-off': [409, 'The second factor is off'],
  'last-admin': [409, 'The shop needs an admin'],
})
