import { eq } from 'drizzle-orm'
import { Problem } from '../shared/http/problems.ts'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { sealSecret } from './codes.ts'
import { lockUser } from './find-user.ts'
import { hashing } from './hashing.ts'
import { problems } from './problems.ts'
import { Enrolment, hasSecondFactor, SecondFactor } from './second-factor.ts'
import { stepUp } from './step-up.ts'
import { noSuchUser, users } from './user.ts'

/**
 * Returns a secret for an authenticator app. The second factor is on once a code of the app has confirmed that it works
 * (confirm-second-factor.ts). Until then, each call returns another secret.
 */
export const enrolSecondFactor = operation(
  'enrol-second-factor',
  {
    request: { params: IdParam, body: Enrolment },
    responses: { 200: SecondFactor },
    problems: [
      'session-ended',
      problems['wrong-password'],
      'not-found',
      problems['second-factor-on'],
      'too-many-attempts',
      'overloaded',
    ],
  },
  hashing(async ({ params: { id }, body, user: caller, address, json }, { db, secondFactorKey }) => {
    if (caller.id !== id) throw noSuchUser()
    await stepUp(db, { user: caller, address }, body.currentPassword)
    const { newTotpSecret, totpUri } = await import('./totp.ts')
    const secret = newTotpSecret()
    const email = await transaction(db, async (tx) => {
      const user = await lockUser(tx, id)
      if (user === undefined) throw noSuchUser()
      if (hasSecondFactor(user))
        throw new Problem(problems['second-factor-on'], { detail: 'Disable it first, to enrol another app.' })
      await tx
        .update(users)
        .set({ totpSecret: sealSecret(secret, id, secondFactorKey), totpPeriod: null })
        .where(eq(users.id, id))
      return user.email!
    })
    return json({ secret, uri: totpUri(secret, email) }, 200)
  }),
)
