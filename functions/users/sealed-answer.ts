import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/*
 * The answer to a refresh is kept for a short while, so that a client that has lost it can ask again. It contains
 * tokens, so it is encrypted with a key that is derived from the refresh token of the request. We store only that
 * token's hash: without the token itself, nobody can read the answer.
 */

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

/** Returns the answer, encrypted for whoever holds the refresh token (AES-256-GCM, base64url). */
export function seal(answer: object, refreshToken: string): string {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv(algorithm, keyFrom(refreshToken), iv)
  const text = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')
}

/**
 * Returns the answer. Serialised again it has the same bytes, because JSON keeps the order of the fields.
 * @throws if it was sealed with another token, or was changed
 */
export function unseal(sealed: string, refreshToken: string): unknown {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv(algorithm, keyFrom(refreshToken), bytes.subarray(0, ivBytes))
  decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
  const text = Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()])
  return JSON.parse(text.toString('utf8'))
}

/** The token is 256 random bits, so a fast derivation suffices. */
const keyFrom = (refreshToken: string) =>
  new Uint8Array(hkdfSync('sha256', refreshToken, '', 'zeroshop refresh answer', 32))
