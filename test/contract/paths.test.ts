import { describe, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { expectInvalid, expectProblem } from '../problems.ts'
import { badValuesOf, resourceOf } from './known-fixtures.ts'
import { namesResource, parametersOf, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

describe('a path', () => {
  it.each(those(namesResource))('is refused if a parameter is not valid: %s', async (name, row) => {
    for (const parameter of parametersOf(row.path)) {
      const { values, detail } = badValuesOf(row.domain, parameter)!
      for (const value of values) {
        const path = await contract.pathOf(name, { [parameter]: value })
        expectInvalid(await contract.send(name, {}, path), { pointer: `/path/${parameter}`, detail })
      }
    }
  })

  it.each(those(namesResource))('is refused if its resource does not exist: %s', async (name, row) => {
    const as = row.by === 'anyone' ? {} : { as: row.by === 'user' ? ('admin' as const) : row.by.at(-1)! }
    const nothing = Object.fromEntries(parametersOf(row.path).map((parameter) => [parameter, uuidv7()]))
    const path = await contract.pathOf(name, nothing)
    expectProblem(
      await contract.send(name, { ...as, ifMatch: '"1"' }, path),
      'not-found',
      resourceOf(row)!.notFound,
    )
  })
})
