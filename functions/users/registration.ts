import { createHash } from 'node:crypto'
import type { IdempotencyKey } from '../shared/store/idempotency.ts'

/*
 * An Idempotency-Key is stored with a hash of its request. With a plain hash of a body that contains a
 * password, someone who steals the table could try passwords at the speed of SHA-256. So only the password's
 * argon2id hash enters the request's hash. Its salt is the same for a retry of the same request.
 */

/**
 * Returns the 16-byte salt of a registration, which depends on the caller, the key and the e-mail address.
 */
export const saltFor = ({ caller, key }: IdempotencyKey, email: string): Uint8Array =>
  createHash('sha256')
    .update(JSON.stringify([caller, key, email]))
    .digest()
    .subarray(0, 16)

/** Returns the hash that is stored with a registration's Idempotency-Key. */
export const registrationHash = (email: string, name: string, passwordHash: string): string =>
  createHash('sha256')
    .update(JSON.stringify([email, name, passwordHash]))
    .digest('base64url')
