import { importJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { audience, issuer } from '../../functions/shared/auth/access-token.ts'
import type { Role } from '../../functions/shared/domain.ts'
import { generateKeys } from '../../functions/users/tokens.ts'
import { expectProblem } from '../problems.ts'
import { resourceOf } from './known-fixtures.ts'
import { rows, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

const roles: Role[] = ['customer', 'seller', 'staff', 'admin']

let contract: ContractShop
/** Values of the Authorization header that are refused, and the detail of the problem. */
let refused: [authorization: string, detail: string][]
/** An accepted value: an admin's token, made like those that are refused. */
let accepted: string

const missing = 'Send the access token as: Authorization: Bearer <token>.'
const bad = 'The access token is not valid or has expired: refresh the session or log in again.'

sharing.beforeAll(async ({ shop }) => {
  contract = shop
  const { customer } = contract.shop.users
  const { kid, x } = contract.shop.privateKey
  const [ours, another] = await Promise.all([
    importJWK(contract.shop.privateKey, 'EdDSA'),
    generateKeys().then(({ privateKey }) => importJWK(privateKey, 'EdDSA')),
  ])
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    sub: customer.id,
    role: 'admin',
    sid: customer.session,
    iss: issuer,
    aud: audience,
    exp: now + 60,
  }
  const forged = (changed: object, key: Parameters<SignJWT['sign']>[0] = ours, alg = 'EdDSA') =>
    new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg, kid: kid! }).sign(key)
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const good = await contract.shop.sign(customer)
  const [head, payload, signature] = good.split('.') as [string, string, string]
  const tokens = [
    'garbage',
    'a.b.c',
    `${head}.${payload}.`,
    `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
    // another role with the valid signature
    `${head}.${base64(claims)}.${signature}`,
    `${base64({ alg: 'none' })}.${base64(claims)}.`,
    // the public key used as a secret
    await forged({}, Buffer.from(x!, 'base64url'), 'HS256'),
    // signed with another key, but with our key's id
    await forged({}, another),
    await forged({ exp: now - 1 }),
    await forged({ exp: undefined }),
    await forged({ nbf: now + 60 }),
    await forged({ sub: undefined }),
    await forged({ role: undefined }),
    await forged({ sid: undefined }),
    await forged({ aud: 'another-shop' }),
    await forged({ iss: 'https://example.com' }),
  ]
  refused = [
    ['', missing],
    ['Bearer', missing],
    ['Basic YWRhOnNlY3JldA==', missing],
    [`Token ${good}`, missing],
    [`Bearer ${good} ${good}`, missing],
    ...tokens.map((token): [string, string] => [`Bearer ${token}`, bad]),
  ]
  accepted = `Bearer ${await forged({})}`
})

describe('the caller', () => {
  const forAdmins = those(
    ({ method, path, by }) =>
      method === 'get' && by !== 'anyone' && (by === 'user' || by.includes('admin')) && !path.includes('{'),
  )
  it.each(forAdmins)('is accepted with a token like those that are refused below: %s', async (name) =>
    expect(await contract.send(name, { as: undefined, headers: { authorization: accepted } })).toMatchObject({
      status: 200,
    }),
  )

  it.each(those(({ by }) => by !== 'anyone'))('must send a token: %s', async (name) =>
    expectProblem(await contract.send(name, { as: undefined }), 'not-logged-in', missing),
  )

  it.each(rows)('must not send an invalid token: %s', async (name) => {
    for (const [authorization, detail] of refused)
      expectProblem(
        await contract.send(name, { as: undefined, headers: { authorization } }),
        'not-logged-in',
        detail,
      )
  })

  const refusals = rows.flatMap(([name, { by }]) =>
    typeof by === 'string'
      ? []
      : roles.filter((role) => !by.includes(role)).map((role) => [name, role, by] as const),
  )
  it.each(refusals)('must have an allowed role: %s as %s', async (name, role, by) =>
    expectProblem(
      await contract.send(name, { as: role }),
      'wrong-role',
      `This needs the role ${by.join(' or ')}.`,
    ),
  )
})

describe('a resource with an owner', () => {
  const owned = rows.flatMap(([name, row]) => {
    const owner = resourceOf(row)?.owner
    return owner && (row.by === 'user' || row.by.includes(owner)) ? [[name, owner, row] as const] : []
  })
  it.each(owned)('is not found by others with the same role: %s as %s', async (name, role, row) =>
    expectProblem(
      await contract.send(name, { as: contract.shop.newUser(role), ifMatch: '"1"' }),
      'not-found',
      resourceOf(row)!.notFound,
    ),
  )
})
