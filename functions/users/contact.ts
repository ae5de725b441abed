import { uuidv7 } from 'uuidv7'
import { leaveSecret } from '../../events/secrets.ts'
import type { Tx } from '../shared/store/postgres.ts'

/**
 * Tells where a user can be reached. The name and the e-mail address are left for the domain that writes to people,
 * because events cannot be anonymised.
 */
export async function announceContact(
  tx: Tx,
  { id: userId, email, name }: { id: string; email: string; name: string },
): Promise<void> {
  const contactId = uuidv7()
  await leaveSecret(tx, 'notifications', contactId, JSON.stringify({ email, name }))
  await tx.emit('user.contact-changed', userId, { userId, contactId })
}
