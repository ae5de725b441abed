import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { findUser, lockUser } from './find-user.ts'
import { openMailLimits } from './mail-limits.ts'
import { mailToken } from './mailing.ts'
import { problems } from './problems.ts'
import { mayChange, noSuchUser } from './user.ts'

/** Mails the link again that a user gets after registering, and after changing the e-mail address. */
export const requestEmailVerification = operation(
  'request-email-verification',
  {
    request: { params: IdParam },
    responses: { 204: null },
    problems: ['not-found', problems['email-verified'], 'too-many-attempts'],
  },
  async ({ params: { id }, user: caller, address, empty }, { db }) => {
    if (!mayChange(caller, id)) throw noSuchUser()
    const { email } = await findUser(db, id)
    const mayMail = await openMailLimits(db).mayMail('verification', address, email!)
    await transaction(db, async (tx) => {
      const user = await lockUser(tx, id)
      if (user === undefined) throw noSuchUser()
      if (user.emailVerifiedAt !== null)
        throw new Problem(problems['email-verified'], { detail: 'There is nothing left to do.' })
      if (mayMail) await mailToken(tx, 'verification', { id, email: user.email! })
    })
    return empty()
  },
)
