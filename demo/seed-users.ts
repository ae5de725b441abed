import { uuidv7 } from 'uuidv7'
import type { Role } from '../functions/shared/domain.ts'
import { hashPassword } from '../functions/users/password.ts'
import type { Db } from '../functions/shared/store/postgres.ts'
import { findUserByEmail } from '../functions/users/find-user.ts'
import { Email } from '../functions/shared/schemas/email.ts'
import { announceContact } from '../functions/users/contact.ts'
import { events } from '../functions/users/events.ts'
import { withCause } from '../functions/shared/store/cause.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { users } from '../functions/users/user.ts'

export interface SeedUser {
  email: string
  password: string
  name: string
  role: Role
}

/**
 * Adds the users whose e-mail address is not taken. Existing users keep their role and password.
 * @returns the users that it added
 */
export async function seedUsers(db: Db, wanted: SeedUser[]): Promise<SeedUser[]> {
  const registering = withCause(db, { domain: 'users', emits: events, actor: 'system' })
  const made: SeedUser[] = []
  for (const user of wanted) {
    const email = Email.parse(user.email)
    if ((await findUserByEmail(db, email)) !== undefined) continue
    const passwordHash = await hashPassword(user.password.normalize('NFKC'))
    const { name, role } = user
    const isAdded = await transaction(registering, async (tx) => {
      const [row] = await tx
        .insert(users)
        .values({ id: uuidv7(), email, name, role, passwordHash })
        .onConflictDoNothing()
        .returning({ id: users.id })
      if (row !== undefined) await announceContact(tx, { id: row.id, email, name })
      return row !== undefined
    })
    if (isAdded) made.push(user)
  }
  return made
}
