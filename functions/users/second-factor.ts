import { randomBytes } from 'node:crypto'
import { index, text, uuid } from 'drizzle-orm/pg-core'
import * as z from 'zod'
import { Problem } from '../shared/http/problems.ts'
import type { SecurityDetails } from '../shared/http/security-log.ts'
import { problems } from './problems.ts'
import { CurrentPassword, schema, users, type UserRow } from './user.ts'

/**
 * The second factor: codes of an authenticator app, and recovery codes for when the device is lost. The secret of the
 * app is in the user's row, sealed with SECOND_FACTOR_KEY.
 */

export const recoveryCodes = schema.table(
  'recovery_codes',
  {
    /** SHA-256: a code has 80 random bits, and the log-in is limited. */
    hash: text().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
  },
  (t) => [index().on(t.userId)],
)

/** How many recovery codes a user gets. */
export const recoveryCodeCount = 10

const recoveryCodeBytes = 10

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Returns a new recovery code, such as `abcd-efgh-2345-mnop`. */
export function newRecoveryCode(): string {
  const bits = [...randomBytes(recoveryCodeBytes)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = bits.replaceAll(/.{5}/g, (five) => alphabet[Number.parseInt(five, 2)]!)
  return letters.replaceAll(/.{4}(?=.)/g, '$&-')
}

/** Returns a code as it is compared: people type spaces, dashes and capitals. */
export const normalizeCode = (code: string) => code.replaceAll(/[\s-]/g, '').toLowerCase()

/** Whether a normalised code is one of an app. */
export const isAppCode = (code: string) => /^\d{6}$/.test(code)

const AppCode = z
  .string()
  .max(50)
  .regex(/^(?:[\s-]*\d){6}[\s-]*$/, 'the 6 digits that the app shows')
  .overwrite(normalizeCode)
  .meta({ example: '123456', description: 'The 6 digits that the app shows.' })

export const Code = z
  .string()
  .max(50)
  .regex(
    /^(?:(?:[\s-]*\d){6}|(?:[\s-]*[A-Za-z2-7]){16})[\s-]*$/,
    '6 digits, or a recovery code such as abcd-efgh-2345-mnop',
  )
  .overwrite(normalizeCode)
  .meta({ example: '123456', description: 'The 6 digits that the app shows, or a recovery code.' })

export const Enrolment = z
  .strictObject({ currentPassword: CurrentPassword })
  .meta({ id: 'SecondFactorEnrolment' })

export const SecondFactor = z
  .object({
    secret: z.string().meta({ description: 'For apps into which it is typed, in base32.' }),
    uri: z
      .string()
      .meta({ description: 'For a QR code.', example: 'otpauth://totp/Zeroshop:ada%40example.com' }),
  })
  .meta({ id: 'SecondFactor' })

export const Confirmation = z.strictObject({ code: AppCode }).meta({ id: 'SecondFactorConfirmation' })

export const CodesOfUser = z
  .object({ recoveryCodes: z.array(z.string()) })
  .meta({ id: 'RecoveryCodes', description: 'Each logs in once. They are not shown again.' })

export const SteppedUp = z
  .strictObject({ currentPassword: CurrentPassword, code: Code.optional() })
  .meta({ id: 'PasswordAndCode' })

export const hasSecondFactor = (user: UserRow) => user.secondFactorAt !== null

export const secondFactorNeeded = (security: SecurityDetails = {}) =>
  new Problem(problems['second-factor-needed'], {
    detail: 'Send the code of your authenticator app, or a recovery code, as `code`.',
    security,
  })

export const wrongCode = (security: SecurityDetails = {}) =>
  new Problem(problems['wrong-code'], {
    detail: 'A code is valid for a minute and accepted once: wait for the next one, or send a recovery code.',
    security,
  })

export const secondFactorOff = () =>
  new Problem(problems['second-factor-off'], { detail: 'Enrol an authenticator app first.' })
