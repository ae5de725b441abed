import { Secret, TOTP } from 'otpauth'

/** Codes of authenticator apps: TOTP (RFC 6238) with what every app supports, SHA-1, 6 digits and 30 s. */

const periodSeconds = 30
const digits = 6

/** How many periods a clock may be wrong, in either direction (RFC 6238, 5.2). */
const window = 1

/** Returns a new secret: 160 random bits (RFC 4226, 4), in base32. */
export const newTotpSecret = (): string => new Secret({ size: 20 }).base32

const totpOf = (secret: string, label = '') =>
  new TOTP({ issuer: 'Zeroshop', label, secret, period: periodSeconds, digits, algorithm: 'SHA1' })

/** Returns what an app reads from a QR code. */
export const totpUri = (secret: string, email: string): string => totpOf(secret, email).toString()

/**
 * Returns the number of the period that a code is for; undefined if it is wrong.
 * @param now in ms since 1970
 */
export function periodOf(code: string, secret: string, now: number): number | undefined {
  const delta = totpOf(secret).validate({ token: code, timestamp: now, window })
  return delta === null ? undefined : Math.floor(now / 1000 / periodSeconds) + delta
}
