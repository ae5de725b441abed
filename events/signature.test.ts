import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { createSigner, createVerifier, newKey } from './signature.ts'

/** The package of Standard Webhooks is the reference. */

const key = newKey()
const id = '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e'
const bodies = ['{}', '', '{"name":"Kaffeebecher, groß ☕"}', 'x'.repeat(100_000)]

it.each(bodies)('signs as the reference checks: %.30s', (body) => {
  const signature = createSigner([key, newKey()])(id, body)
  expect(() => new Webhook(key).verify(body, signature, { jsonParse: false })).not.toThrow()
})

it.each(bodies)('checks what the reference signs: %.30s', (body) => {
  const now = new Date()
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    // somebody else's first
    'webhook-signature': `${new Webhook(newKey()).sign(id, now, body)} ${new Webhook(key).sign(id, now, body)}`,
  }
  expect(createVerifier([newKey(), key])(headers, body)).toBeUndefined()
  expect(createVerifier([key])(headers, Buffer.from(body))).toBeUndefined()
  expect(createVerifier([newKey()])(headers, body)).toBe('It is not signed with a key of this domain')
})

it('checks the bytes that were received, also if they are not UTF-8', () => {
  const [text, bytes] = ['\uFFFD', Buffer.from([0xff])]
  const verify = createVerifier([key])
  expect(bytes.toString()).toBe(text)
  const headers = createSigner([key])(id, text)
  expect(verify(headers, text)).toBeUndefined()
  expect(verify(headers, bytes)).toBe('It is not signed with a key of this domain')
})
