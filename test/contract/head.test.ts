import { describe, expect, it } from 'vitest'
import type { OperationName } from '../../functions/table.ts'
import { those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

/** Sends a request whose response may be a stream that does not end. */
async function open(method: string, name: OperationName, headers: Record<string, string> = {}) {
  const { shop, pathOf, callerOf } = contract
  const { as } = await callerOf(name)
  const user = typeof as === 'string' ? shop.users[as] : as
  const authorization = user && { authorization: `Bearer ${await shop.sign(user)}` }
  return shop.app.request(`/api/v1${await pathOf(name)}`.replace('/api/v1/.', '/.'), {
    method,
    headers: { ...authorization, ...headers },
  })
}

/** Without those of the connection, which HEAD may leave out. */
const headersOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => !['connection', 'transfer-encoding'].includes(name)))

describe('HEAD', () => {
  it.each(those(({ method }) => method === 'get'))(
    'is answered like GET, without a body: %s',
    async (name) => {
      const [got, head] = await Promise.all([open('GET', name), open('HEAD', name)])
      await got.body?.cancel()
      expect([head.status, await head.text()]).toEqual([got.status, ''])
      expect(headersOf(head)).toEqual(headersOf(got))
    },
  )

  it.each(those(({ method, by }) => method === 'get' && by !== 'anyone'))(
    'is refused like GET: %s',
    async (name) => {
      const wrong = { authorization: 'Bearer nonsense' }
      const head = await open('HEAD', name, wrong)
      expect([head.status, await head.text()]).toEqual([401, ''])
      expect(headersOf(head)).toEqual(headersOf(await open('GET', name, wrong)))
    },
  )
})

describe('an event stream', () => {
  it.each(those((_, { contentType }) => contentType === 'text/event-stream'))(
    'is neither cached nor held back by a gateway: %s',
    async (name) => {
      const { headers, body } = await open('GET', name)
      await body?.cancel()
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
    },
  )
})
