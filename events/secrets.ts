import { eq, sql } from 'drizzle-orm'
import { isAmong, prepared, type Db, type Tx } from '../functions/shared/store/postgres.ts'
import { secrets } from './tables.ts'

/** How long a secret is kept that its recipient does not take, in ms. */
export const secretLifetimeMs = 24 * 60 * 60 * 1000

const bySubject = prepared((db) =>
  db
    .select({ secret: secrets.secret })
    .from(secrets)
    .where(eq(secrets.subject, sql.placeholder('subject')))
    .prepare('secret_by_subject'),
)

/** Reads the secret that another domain has left for this one. Returns undefined if it is no longer there. */
export async function readSecret(db: Db, subject: string): Promise<string | undefined> {
  const [row] = await bySubject(db).execute({ subject })
  return row?.secret
}

/**
 * Leaves a secret for another domain, in the transaction that emits the event which refers to it by its subject.
 * @param lifetimeMs how long it is kept if its recipient does not take it
 */
export async function leaveSecret(
  tx: Tx,
  recipient: string,
  subject: string,
  secret: string,
  lifetimeMs = secretLifetimeMs,
): Promise<void> {
  // the relay deletes what is older than the usual lifetime, and may read nothing else of a secret
  const at = sql`now() + ${(lifetimeMs - secretLifetimeMs) / 1000}::float8 * interval '1 second'`
  await tx.insert(secrets).values({ recipient, subject, secret, at })
}

/** Deletes secrets that have been used, or are no longer needed. */
export async function forgetSecrets(tx: Tx, subjects: readonly string[]): Promise<void> {
  await tx.delete(secrets).where(isAmong(secrets.subject, subjects)).prepare('forget_secrets').execute()
}
