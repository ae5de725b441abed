import { createHmac, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { Problem } from '../shared/http/problems.ts'

/**
 * The links in mails with which whoever has the mail unsubscribes, without logging in (RFC 8058). A link is the user's id
 * and an HMAC-SHA256 of it. It is good for nothing else and does not expire, because people unsubscribe from old mails.
 */
export interface Unsubscribing {
  tokenFor(userId: string): string
  /** Returns whose mails a token is about. @throws Problem 404 if it is not ours */
  userOf(token: string): string
}

export const TokenParam = z.object({
  token: z
    .string()
    .toLowerCase()
    .regex(/^[\da-f-]{20,100}$/, 'the end of a link in a mail')
    .meta({ description: 'From the link in a mail.' }),
})

/** @param key signs the links */
export function openUnsubscribing(key: string): Unsubscribing {
  const signed = (id: Buffer) =>
    Buffer.concat([id, createHmac('sha256', key).update('unsubscribe\n').update(id).digest()])
  return {
    tokenFor: (userId) => signed(Buffer.from(userId.replaceAll('-', ''), 'hex')).toString('hex'),
    userOf(token) {
      const given = Buffer.from(token, 'hex')
      const id = given.subarray(0, 16)
      const expected = signed(id)
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new Problem('not-found', { detail: 'There is no such link: copy all of it from the mail.' })
      return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    },
  }
}
