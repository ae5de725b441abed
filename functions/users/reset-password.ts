import { operation } from '../shared/http/operation.ts'
import { hashing } from './hashing.ts'
import { PasswordReset } from './mailed-token.ts'
import { holderOf } from './mailing.ts'
import { refuseWeakPassword } from './password-rules.ts'
import { problems } from './problems.ts'
import { reset } from './reset.ts'

/** Sets a new password with a token that was mailed. */
export const resetPassword = operation(
  'reset-password',
  {
    request: { body: PasswordReset },
    responses: { 204: null },
    problems: [problems['wrong-token'], 'overloaded'],
  },
  hashing(async ({ body: { token, password }, logSecurity, empty }, { db }) => {
    const { email, name } = await holderOf(db, 'reset', token)
    await refuseWeakPassword(password, { email: email!, name: name! })
    await reset(db, { token, password }, logSecurity)
    return empty()
  }),
)
