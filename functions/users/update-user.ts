import { and, eq, isNull, sql } from 'drizzle-orm'
import { announceContact } from './contact.ts'
import { endSessionsOf, refuseEnded } from './families.ts'
import { hashing } from './hashing.ts'
import { forgetTokens, mailToken } from './mailing.ts'
import { hashPassword } from './password.ts'
import { refuseWeakPassword } from './password-rules.ts'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { errorCode, sqlState } from '../shared/store/store-errors.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { checkVersion, etag, ifMatch, staleVersion } from '../shared/http/entity-tag.ts'
import { findUser, keepOneAdmin } from './find-user.ts'
import { stepUp } from './step-up.ts'
import {
  changesEmail,
  demotes,
  emailTaken,
  endsSessions,
  mayChange,
  needsCurrentPassword,
  noSuchUser,
  refuseRole,
  toUser,
  User,
  UserChange,
  users,
} from './user.ts'
import { problems } from './problems.ts'

export const updateUser = operation(
  'update-user',
  {
    request: { params: IdParam, body: UserChange },
    responses: { 200: User },
    problems: [
      'session-ended',
      problems['wrong-password'],
      'wrong-role',
      'not-found',
      problems['email-taken'],
      problems['last-admin'],
      'stale-version',
      'if-match-missing',
      'too-many-attempts',
      'overloaded',
    ],
    headers: ['ETag'],
  },
  hashing(
    async ({ params: { id }, body: change, user: caller, address, logSecurity, json, hono }, { db }) => {
      if (!mayChange(caller, id)) throw noSuchUser()
      const wanted = ifMatch(hono)
      const current = await findUser(db, id)
      checkVersion(wanted, current.version)

      refuseRole(caller, change)
      const { email, name, role, password } = change
      if (password !== undefined)
        await refuseWeakPassword(password, { email: email ?? current.email!, name: name ?? current.name! })
      if (needsCurrentPassword(change, current))
        await stepUp(db, { user: caller, address }, change.currentPassword)
      const passwordHash = password && (await hashPassword(password))

      const changed = await transaction(db, async (tx) => {
        await refuseEnded(tx, caller)
        if (demotes(change, current)) await keepOneAdmin(tx)
        const [row] = await tx
          .update(users)
          .set({
            ...(email && { email }),
            ...(changesEmail(change, current) && { emailVerifiedAt: null }),
            ...(name && { name }),
            ...(role && { role }),
            ...(passwordHash && { passwordHash }),
            version: current.version + 1,
            updatedAt: sql`now()`,
          })
          .where(and(eq(users.id, id), eq(users.version, current.version), isNull(users.deletedAt)))
          .returning()
        if (row === undefined) throw staleVersion()
        if (endsSessions(change, current)) await endSessionsOf(tx, id)
        else if (changesEmail(change, current)) await endSessionsOf(tx, id, caller.session)
        if (password !== undefined) await forgetTokens(tx, id, 'reset')
        if (changesEmail(change, current)) await tx.emit('user.email-changed', id, { userId: id })
        if (row.email !== current.email || row.name !== current.name)
          await announceContact(tx, { id, email: row.email!, name: row.name! })
        if (changesEmail(change, current)) {
          // those that were sent to the previous address
          await forgetTokens(tx, id)
          await mailToken(tx, 'verification', { id, email: row.email! })
        }
        return row
      }).catch((error: unknown) => {
        throw errorCode(error) === sqlState.uniqueViolation ? emailTaken() : error
      })
      if (changed.role !== current.role)
        logSecurity('role-changed', { user: id, from: current.role, to: changed.role })
      if (password !== undefined) logSecurity('password-changed', { user: id })
      if (changed.email !== current.email) logSecurity('email-changed', { user: id })
      return json(toUser(changed), 200, { ETag: etag(changed.version) })
    },
  ),
)
