import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAccount } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { audience, issuer } from '../shared/auth/access-token.ts'
import { JwkSet } from './session.ts'
import { createTokens, generateKeys } from './tokens.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

it('publishes the keys that verify the access tokens, for anyone to cache', async () => {
  const { status, headers, body } = await shop.get('/.well-known/jwks.json')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toMatch(/^application\/json/)
  expect(headers.get('cache-control')).toBe('public, max-age=300')
  const { id, accessToken } = await newAccount(shop)
  const { payload } = await jwtVerify(accessToken, createLocalJWKSet(body), { audience, issuer })
  expect(payload.sub).toBe(id)
})

it('never publishes a private key, even if it is configured as a public one', async () => {
  const { privateKey, publicKeys } = await generateKeys()
  const tokens = await createTokens(privateKey, { keys: [{ ...publicKeys.keys[0]!, ...privateKey }] })
  expect(privateKey.d).toBeDefined()
  expect(JSON.stringify(JwkSet.parse(tokens.jwks))).not.toContain(privateKey.d)
})
