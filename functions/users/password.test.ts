import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { dummyHash, hashPassword, needsRehash, verifyPassword } from './password.ts'

it('verifies a password against its own hash only', async () => {
  const hash = await hashPassword('correct horse battery')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await verifyPassword(hash, 'correct horse battery')).toBe(true)
  expect(await verifyPassword(hash, 'correct horse batterz')).toBe(false)
  expect(await hashPassword('correct horse battery')).not.toBe(hash)
})

it('returns the same hash for the same salt', async () => {
  const salt = new Uint8Array(16).fill(7)
  expect(await hashPassword('a password', salt)).toBe(await hashPassword('a password', salt))
})

it('leaves threads for files and host names while many passwords are hashed', async () => {
  let done = 0
  const hashes = Array.from({ length: 20 }, async () => {
    await hashPassword('a password')
    done++
  })
  await readFile(import.meta.filename)
  expect(done).toBeLessThan(10)
  await Promise.all(hashes)
})

it('rejects any password if there is no hash', async () => {
  expect(await verifyPassword(undefined, '')).toBe(false)
  expect(await verifyPassword(null, 'a password')).toBe(false)
})

it('verifies at the current cost if there is no hash', () => expect(needsRehash(dummyHash)).toBe(false))

it('detects a hash of another cost', () => {
  expect(needsRehash(dummyHash.replace('m=19456', 'm=9216'))).toBe(true)
  expect(needsRehash(dummyHash.replace('t=2', 't=1'))).toBe(true)
  expect(needsRehash(dummyHash.replace('p=1', 'p=2'))).toBe(true)
})
