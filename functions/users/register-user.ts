import { uuidv7 } from 'uuidv7'
import { announceContact } from './contact.ts'
import { hashing } from './hashing.ts'
import { mailToken } from './mailing.ts'
import { hashPassword } from './password.ts'
import { refuseWeakPassword } from './password-rules.ts'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { registrationHash, saltFor } from './registration.ts'
import { emailTaken, idempotencyKeys, NewUser, pathOf, toUser, User, users } from './user.ts'
import { problems } from './problems.ts'

export const registerUser = operation(
  'register-user',
  {
    request: { body: NewUser },
    responses: { 201: User },
    problems: [problems['email-taken'], 'overloaded'],
    headers: ['ETag', 'Location'],
  },
  hashing(async ({ body: { email, name, password }, key, json }, { db }) => {
    await refuseWeakPassword(password, { email, name })
    const passwordHash = await hashPassword(password, saltFor(key, email))
    const hash = registrationHash(email, name, passwordHash)
    return once(db, idempotencyKeys, { ...key, hash }, async (tx) => {
      const [user] = await tx
        .insert(users)
        .values({ id: uuidv7(), email, name, passwordHash, role: 'customer' })
        .onConflictDoNothing()
        .returning()
      if (user === undefined) throw emailTaken()
      await announceContact(tx, { id: user.id, email, name })
      await mailToken(tx, 'verification', { id: user.id, email })
      return json(toUser(user), 201, { ETag: etag(user.version), Location: pathOf(user.id) })
    })
  }),
)
