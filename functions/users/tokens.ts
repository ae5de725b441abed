import { exportJWK, generateKeyPair, importJWK, SignJWT, type JSONWebKeySet, type JWK } from 'jose'
import { audience, issuer, type User } from '../shared/auth/access-token.ts'

/** How long an access token is valid, in seconds. */
export const accessTokenSeconds = 15 * 60

/** Signs access tokens (JWT with EdDSA, RFC 8037). */
export interface Tokens {
  sign(user: User): Promise<string>
  /** The public keys that verify them. */
  jwks: JSONWebKeySet
}

/**
 * @param privateKey an Ed25519 JWK with its `kid`
 * @param jwks every public key whose tokens may still be in use, which allows key rotation
 */
export async function createTokens(privateKey: JWK, jwks: JSONWebKeySet): Promise<Tokens> {
  const key = await importJWK(privateKey, 'EdDSA')
  return {
    jwks,
    sign: ({ id, role, session }) =>
      new SignJWT({ role, sid: session })
        .setProtectedHeader({
          alg: 'EdDSA',
          ...(privateKey.kid === undefined ? {} : { kid: privateKey.kid }),
        })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(id)
        .setIssuedAt()
        .setExpirationTime(`${accessTokenSeconds}s`)
        .sign(key),
  }
}

/** Returns the answer to a login or a refresh, with a newly signed access token. */
export async function toTokenPair(
  tokens: Tokens,
  { id, role }: Pick<User, 'id' | 'role'>,
  session: { id: string; refreshToken: string },
) {
  return {
    accessToken: await tokens.sign({ id, role, session: session.id }),
    tokenType: 'Bearer' as const,
    expiresIn: accessTokenSeconds,
    refreshToken: session.refreshToken,
  }
}

/** Generates a key pair, in the formats of the settings JWT_PRIVATE_KEY and JWT_PUBLIC_KEYS. */
export async function generateKeys(): Promise<{ privateKey: JWK; publicKeys: JSONWebKeySet }> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const privateKey = { ...(await exportJWK(pair.privateKey)), kid: crypto.randomUUID() }
  return { privateKey, publicKeys: publicKeysOf(privateKey) }
}

/** Returns the public part of an Ed25519 key, as a set with one key. */
export function publicKeysOf({ kty, crv, x, kid }: JWK): JSONWebKeySet {
  return { keys: [{ kty, crv, x, kid, use: 'sig', alg: 'EdDSA' } as JWK] }
}
