import { describe, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { problemsOf } from '../../docs/openapi.ts'
import type { Role } from '../../functions/shared/domain.ts'
import type { OperationName } from '../../functions/table.ts'
import type { Answered } from '../shop.ts'
import { contractOf, namesResource, parametersOf, rows, takesBody, those, type Row } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

const roles: Role[] = ['customer', 'seller', 'staff', 'admin']

/**
 * The problems of every function that a client causes, and requests that cause them if an operation has them. A key
 * that is used again is tested in idempotency.test.ts.
 */
const causes: Record<string, (name: OperationName, row: Row) => Promise<Answered>> = {
  'not-logged-in': (name) =>
    contract.send(name, { as: undefined, headers: { authorization: 'Bearer forged' } }),
  'wrong-role': (name, { by }) => {
    const allowed: readonly string[] = typeof by === 'string' ? roles : by
    return contract.send(name, { as: roles.find((role) => !allowed.includes(role)) ?? 'customer' })
  },
  'invalid-request': async (name, row) => {
    if (takesBody(row, contractOf(name))) return contract.send(name, { body: [] })
    if (namesResource(row)) return contract.send(name, {}, await pathOf(name, row, '%20'))
    return contract.send(name, {}, `${await contract.pathOf(name)}?unknown=1`)
  },
  'not-found': async (name, row) => {
    const as = row.by === 'anyone' ? {} : { as: row.by === 'user' ? ('admin' as const) : row.by.at(-1)! }
    return contract.send(name, { ...as, ifMatch: '"1"' }, await pathOf(name, row, uuidv7()))
  },
  'if-match-missing': (name) => contract.send(name),
  'stale-version': (name) => contract.send(name, { ifMatch: '"99"' }),
  'body-too-large': (name) => contract.send(name, { headers: { 'content-length': '10000000000' } }),
  'not-json': (name) => contract.send(name, { headers: { 'content-type': 'text/plain' } }),
  'idempotency-key-missing': (name) => contract.send(name, { key: null }),
}

const pathOf = (name: OperationName, { path }: Row, value: string) =>
  contract.pathOf(name, Object.fromEntries(parametersOf(path).map((parameter) => [parameter, value])))

const nameOf = ({ body }: Answered) => String(body?.type).split('/').at(-1)

describe('the OpenAPI document', () => {
  const declared = rows.flatMap(([name, row]) =>
    problemsOf(row, contractOf(name))
      // an operation for every role has rules of its own
      .filter((problem) => problem.name in causes && !(problem.name === 'wrong-role' && row.by === 'user'))
      .map((problem) => [name, problem.status, problem.name, row] as const),
  )

  it.each(declared)('declares what can be answered: %s, %i %s', async (name, status, problem, row) => {
    const answer = await causes[problem]!(name, row)
    expect([answer.status, nameOf(answer)]).toEqual([status, problem])
  })
})

describe('a change', () => {
  it.each(those(({ method }) => method === 'patch'))('must not be empty: %s', async (name) => {
    const answer = await contract.send(name, { body: {}, ifMatch: '*' })
    expect(answer.body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/body', detail: 'nothing to change' }],
    })
  })
})
