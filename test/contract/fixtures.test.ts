import { describe, expect, it } from 'vitest'
import { domainNames, type OperationName } from '../../functions/table.ts'
import { bodiesOf, faultsOf, fixturesOf } from './known-fixtures.ts'

describe('the fixtures', () => {
  it.each(domainNames)('of %s are complete', (domain) => {
    expect(faultsOf(domain)).toEqual([])
  })

  const domain = domainNames.find((name) => Object.keys(fixturesOf(name).bodies).length > 0)!
  const { bodies, resources } = fixturesOf(domain)
  const [operation] = Object.keys(bodies)
  const [path] = Object.keys(resources)
  const file = `functions/${domain}/fixtures.ts`

  it('are reported with what to add if they are incomplete', () => {
    expect(faultsOf(domain, { bodies: {}, resources: {} })).toEqual(
      expect.arrayContaining([
        `${file}: add two valid bodies that differ, as bodies: { '${operation}': [{ … }, { … }] }`,
        `${file}: add what ${path} names, as resources: { '${path}': { create, notFound } }`,
      ]),
    )
  })

  it('are reported if bodies are invalid or do not differ', () => {
    expect(
      faultsOf(domain, { bodies: { ...bodies, [operation!]: [{ x: 1 }, { y: 1 }] }, resources }),
    ).toEqual([
      expect.stringContaining(`${file}: a body of ${operation} is not valid: `),
      expect.stringContaining(`${file}: a body of ${operation} is not valid: `),
    ])
    const [body] = bodiesOf(operation as OperationName)
    expect(faultsOf(domain, { bodies: { ...bodies, [operation!]: [body, body] }, resources })).toEqual([
      `${file}: the bodies of ${operation} must differ`,
    ])
  })
})
