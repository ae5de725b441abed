import { describe, expect, it } from 'vitest'
import { gatewayProblems } from '../../functions/shared/http/gateway-problems.ts'
import { expectProblem } from '../problems.ts'
import { sendBytes } from '../raw.ts'
import { rows } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

const { detail } = gatewayProblems['malformed-request']

describe('a request', () => {
  it.each(rows)('must have a Host that is well formed: %s', async (name) => {
    for (const host of ['[', '1.2.3.4.5', 'a b', 'shop:99999', 'a/b', 'user@shop'])
      expectProblem(await contract.sendRaw(name, { host }, []), 'malformed-request', detail)
  })

  it('must have a Host', async () => {
    const request = 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'
    expectProblem(await sendBytes(contract.port, request), 'malformed-request', detail)
  })

  it.each(['http://[/', 'ftp://shop/', 'http:shop', '/a\\b'])(
    'must have a well-formed target: %s',
    async (target) => {
      const request = `GET ${target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`
      expectProblem(await sendBytes(contract.port, request), 'malformed-request', detail)
    },
  )

  it('may name any other Host', async () => {
    for (const host of [
      'shop.example.org',
      'localhost:8080',
      '127.0.0.1:1',
      '[::1]:8080',
      'xn--bcher-kva.example',
    ])
      expect(
        await sendBytes(contract.port, `GET /nothing HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      ).toMatchObject({ status: 404 })
  })
})
