import { createHash } from 'node:crypto'
import type { IdempotencyKey } from '../shared/store/idempotency.ts'

/*
 * An Idempotency-Key is kept with a hash of its request. A plain hash of a body that holds a password would let
 * whoever steals the table try passwords at the speed of SHA-256. So the password enters only as its argon2id
 * hash, with a salt that a retry of the same request gets again.
 */

/** The salt of a registration, 16 bytes: its own for each caller, key and e-mail address. */
export const saltFor = ({ caller, key }: IdempotencyKey, email: string): Uint8Array =>
  createHash('sha256')
    .update(JSON.stringify([caller, key, email]))
    .digest()
    .subarray(0, 16)

/** What a registration is known by under its key. */
export const registrationHash = (email: string, name: string, passwordHash: string): string =>
  createHash('sha256')
    .update(JSON.stringify([email, name, passwordHash]))
    .digest('base64url')
