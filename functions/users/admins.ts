import { and, eq, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { endSessionsOf } from './families.ts'
import { findUserByEmail } from './find-user.ts'
import { hashPassword } from './password.ts'
import { users, type NewUser } from './user.ts'

/**
 * Makes an existing user an admin, who keeps the password. Ends the user's sessions, because their tokens contain the
 * old role.
 * @param email in lower case
 * @returns whether there is such a user
 */
export async function promote(db: Db, email: string): Promise<boolean> {
  const user = await findUserByEmail(db, email)
  if (user === undefined) return false
  await transaction(db, async (tx) => {
    const { count } = await tx
      .update(users)
      .set({ role: 'admin', version: sql`${users.version} + 1`, updatedAt: sql`now()` })
      .where(and(eq(users.id, user.id), sql`${users.role} <> 'admin'`))
    if (count > 0) await endSessionsOf(tx, user.id)
  })
  return true
}

/** Creates a user who is an admin. */
export async function createAdmin(db: Db, { email, name, password }: NewUser): Promise<void> {
  const passwordHash = await hashPassword(password)
  await db.insert(users).values({ id: uuidv7(), email, name, role: 'admin', passwordHash })
}
