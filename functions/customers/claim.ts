import { createHash, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { Email } from '../shared/schemas/email.ts'

/** Claims: a link by e-mail with which a customer without an account takes over what staff keep of them. */

/** How long a link can be used, in ms. */
export const claimLifetimeMs = 7 * 24 * 60 * 60 * 1000

/** How long a customer gets no other mail, in ms, so that nobody can flood them. */
export const mailPauseMs = 60_000

/** Returns a new token of 256 bits, which nobody can guess. */
export const newToken = () => randomBytes(32).toString('base64url')

/** Only this is stored, so that nobody who reads the table can claim anything. */
export const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

export const isExpired = (requestedAt: Date, now: Date) =>
  now.getTime() - requestedAt.getTime() >= claimLifetimeMs

/** Returns whether a customer may get another mail. */
export const mayMail = (lastRequestedAt: Date | undefined, now: Date) =>
  lastRequestedAt === undefined || now.getTime() - lastRequestedAt.getTime() >= mailPauseMs

export const ClaimRequest = z
  .strictObject({ email: Email.meta({ description: 'The e-mail address that staff have of the customer.' }) })
  .meta({ id: 'ClaimRequest' })

export const ClaimRequested = z
  .object({
    email: z.string().meta({
      description:
        'Where a link was sent if staff keep a customer with this e-mail address, and have not been asked for one within a minute.',
    }),
  })
  .meta({ id: 'ClaimRequested' })

export const Claim = z
  .strictObject({
    token: z
      .string()
      .regex(/^[\w-]{43}$/, 'the token of the link: 43 letters, digits, dashes and underscores'),
  })
  .meta({ id: 'Claim' })
