import { describe, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { expectProblem } from '../problems.ts'
import { bodiesOf } from './known-fixtures.ts'
import { those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

describe('an Idempotency-Key', () => {
  const idempotent = those(({ idempotent }) => idempotent)

  it.each(idempotent)('is required and must be valid: %s', async (name) => {
    for (const key of [null, '', ' ', 'a b', 'éééé', '\u0001', 'x'.repeat(101)])
      expectProblem(
        await contract.send(name, { key }),
        'idempotency-key-missing',
        'Send a new random key, such as a UUID, with each new request and the same one with a retry.',
        [{ pointer: '/header/idempotency-key', detail: '1 to 100 visible ASCII characters' }],
      )
  })

  // of lines, each has its own: idempotent-lines.test.ts
  it.each(idempotent.filter(([, { uploadMiB }]) => uploadMiB === undefined))(
    'is valid for one request only: %s',
    async (name) => {
      const [body, another] = bodiesOf(name)
      const key = uuidv7()
      const first = await contract.send(name, { key, body })
      expect([first.status, first.text]).toEqual([201, expect.any(String)])
      expectProblem(
        await contract.send(name, { key, body: another }),
        'idempotency-key-reused',
        'Send a new key with a new request; the same key only with the very same body.',
      )
      expect((await contract.send(name, { key, body })).text).toBe(first.text)
    },
  )
})
