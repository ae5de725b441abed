import { expect, it } from 'vitest'
import { sealText, unsealText } from './sealed.ts'

const secret = 'a secret that is long enough for it'

it('seals a text anew each time, which only the same secret and purpose open', () => {
  const sealed = sealText('GEZDGNBV', secret, 'of ada')
  expect(sealed).not.toContain(Buffer.from('GEZDGNBV').toString('base64url'))
  expect(sealText('GEZDGNBV', secret, 'of ada')).not.toBe(sealed)
  expect(unsealText(sealed, secret, 'of ada')).toBe('GEZDGNBV')
  const refused = /unable to authenticate/i
  expect(() => unsealText(sealed, secret, 'of grace')).toThrow(refused)
  expect(() => unsealText(sealed, `${secret}!`, 'of ada')).toThrow(refused)
})
