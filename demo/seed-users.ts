import { uuidv7 } from 'uuidv7'
import type { Role } from '../functions/shared/domain.ts'
import { hashPassword } from '../functions/users/password.ts'
import type { Db } from '../functions/shared/store/postgres.ts'
import { findUserByEmail } from '../functions/users/find-user.ts'
import { Email } from '../functions/shared/schemas/email.ts'
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
  const made: SeedUser[] = []
  for (const user of wanted) {
    const email = Email.parse(user.email)
    if ((await findUserByEmail(db, email)) !== undefined) continue
    const passwordHash = await hashPassword(user.password.normalize('NFKC'))
    const { count } = await db
      .insert(users)
      .values({ id: uuidv7(), email, name: user.name, role: user.role, passwordHash })
      .onConflictDoNothing()
    if (count > 0) made.push(user)
  }
  return made
}
