import { operation } from '../shared/http/operation.ts'
import { EmailVerification } from './mailed-token.ts'
import { problems } from './problems.ts'
import { verify } from './verify.ts'

/** Confirms an e-mail address with the token that was sent there. Nobody need be logged in: mail is read anywhere. */
export const verifyEmail = operation(
  'verify-email',
  {
    request: { body: EmailVerification },
    responses: { 204: null },
    problems: [problems['wrong-token']],
  },
  async ({ body: { token }, logSecurity, empty }, { db }) => {
    await verify(db, token, logSecurity)
    return empty()
  },
)
