import { describe, expect, it } from 'vitest'
import { those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

describe('an answer to a user, or to a change', () => {
  const forUsers = those(({ method, by }) => (by !== 'anyone' || method !== 'get') && method !== 'delete')

  it.each(forUsers)(
    'is kept by nobody, or by the user’s client if it has an ETag: %s',
    async (name, { method }) => {
      const { shop, pathOf, callerOf } = contract
      const { as } = await callerOf(name)
      const user = typeof as === 'string' ? shop.users[as] : as!
      // a stream does not end, so it is not read
      const response =
        method === 'get'
          ? await shop.app.request(`/api/v1${await pathOf(name)}`, {
              headers: { authorization: `Bearer ${await shop.sign(user)}` },
            })
          : await contract.send(name, { ifMatch: '*' })
      if (response instanceof Response) await response.body?.cancel()
      const caching = response.headers.get('cache-control')
      if (caching === 'no-store') return
      expect([method, caching, response.headers.get('etag')]).toEqual([
        'get',
        'private, no-cache',
        expect.any(String),
      ])
    },
  )
})

describe('an answer to anyone', () => {
  it.each(those(({ method, by }) => method === 'get' && by === 'anyone'))(
    'may not be cached for others if a user asks, unless it says so: %s',
    async (name) => {
      const { headers } = await contract.send(name, { as: 'customer' })
      expect(headers.get('cache-control')).toMatch(/^(?:no-store$|private|public)/)
    },
  )
})
