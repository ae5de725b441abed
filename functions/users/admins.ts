import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { announceContact } from './contact.ts'
import { endSessionsOf } from './families.ts'
import { hashPassword } from './password.ts'
import { users, type NewUser } from './user.ts'

/**
 * Makes an existing user an admin, who keeps the password. Ends the user's sessions, because their tokens contain the
 * old role.
 * @returns whether it did: not if the user is an admin already, or was deleted
 */
export const promote = (db: Db, id: string): Promise<boolean> =>
  transaction(db, async (tx) => {
    const { count } = await tx
      .update(users)
      .set({ role: 'admin', version: sql`${users.version} + 1`, updatedAt: sql`now()` })
      .where(and(eq(users.id, id), ne(users.role, 'admin'), isNull(users.deletedAt)))
    if (count > 0) await endSessionsOf(tx, id)
    return count > 0
  })

/** Creates a user who is an admin. Returns the id. */
export async function createAdmin(db: Db, { email, name, password }: NewUser): Promise<string> {
  const [id, passwordHash] = [uuidv7(), await hashPassword(password)]
  await transaction(db, async (tx) => {
    await tx.insert(users).values({ id, email, name, role: 'admin', passwordHash })
    await announceContact(tx, { id, email, name })
  })
  return id
}
