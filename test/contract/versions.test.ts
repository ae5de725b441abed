import { describe, it } from 'vitest'
import { expectProblem } from '../problems.ts'
import { those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

describe('an If-Match', () => {
  it.each(those((_, { problems }) => problems?.includes('if-match-missing')))(
    'is required: %s',
    async (name) =>
      expectProblem(
        await contract.send(name),
        'if-match-missing',
        'Read the resource and send its ETag as If-Match.',
      ),
  )

  const stale = ['"0"', '"99"', '"-1"', '1', 'W/"1"', '"1", "2"', '"one"', '"1e0"', '', '"9999999999999999"']
  it.each(those((_, { problems }) => problems?.includes('stale-version')))(
    'must match the present version: %s',
    async (name) => {
      for (const ifMatch of stale)
        expectProblem(
          await contract.send(name, { ifMatch }),
          'stale-version',
          'Read the resource again and apply your change to what is there.',
        )
    },
  )
})
