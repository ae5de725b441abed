import { expect, it } from 'vitest'
import { newRefreshToken } from './session.ts'
import { seal, unseal } from './sealed-answer.ts'

const answer = { accessToken: 'a.b.c', tokenType: 'Bearer', expiresIn: 900, refreshToken: 'next' }

it('returns the same bytes to whoever holds the token', () => {
  const token = newRefreshToken()
  const sealed = seal(answer, token)
  expect(sealed).not.toContain(Buffer.from('next').toString('base64url'))
  expect(JSON.stringify(unseal(sealed, token))).toBe(JSON.stringify(answer))
})

it('cannot be read with another token, or after a change', () => {
  const token = newRefreshToken()
  const sealed = seal(answer, token)
  const refused = /unable to authenticate/i
  expect(() => unseal(sealed, newRefreshToken())).toThrow(refused)
  const changed = Buffer.from(sealed, 'base64url')
  changed[changed.length - 1]! ^= 1
  expect(() => unseal(changed.toString('base64url'), token)).toThrow(refused)
})
