import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { renewCodes, requireOwnCode } from './codes.ts'
import { findUser } from './find-user.ts'
import { hashing } from './hashing.ts'
import { problems } from './problems.ts'
import { CodesOfUser, hasSecondFactor, secondFactorOff, SteppedUp } from './second-factor.ts'
import { beginCodeStepUp } from './step-up.ts'
import { noSuchUser } from './user.ts'

/** Returns new recovery codes. The earlier ones are no longer valid. */
export const renewRecoveryCodes = operation(
  'renew-recovery-codes',
  {
    request: { params: IdParam, body: SteppedUp },
    responses: { 200: CodesOfUser },
    problems: [
      'session-ended',
      problems['second-factor-needed'],
      problems['wrong-password'],
      problems['wrong-code'],
      'not-found',
      problems['second-factor-off'],
      'too-many-attempts',
      'overloaded',
    ],
  },
  hashing(
    async ({ params: { id }, body, user: caller, address, logSecurity, json }, { db, secondFactorKey }) => {
      if (caller.id !== id) throw noSuchUser()
      if (!hasSecondFactor(await findUser(db, id))) throw secondFactorOff()
      const attempt = await beginCodeStepUp(db, { user: caller, address }, body)
      const codes = await transaction(db, async (tx) => {
        await requireOwnCode(tx, caller, body.code, { secondFactorKey, logSecurity })
        return renewCodes(tx, id)
      })
      await attempt.succeeded()
      logSecurity('recovery-codes-renewed', { user: id })
      return json({ recoveryCodes: codes }, 200)
    },
  ),
)
