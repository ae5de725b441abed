import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { catalogue } from '../events/catalogue.ts'
import type { OperationRow, ReactionRow } from '../functions/shared/domain.ts'
import { operationOf, reactionOf } from '../functions/source.ts'
import {
  functions,
  operations,
  reactions,
  type FunctionName,
  type OperationName,
  type ReactionName,
} from '../functions/table.ts'
import { generated } from './generate.ts'

describe('npm run generate', async () => {
  for (const [path, text] of await generated())
    it(`has ${path} up to date`, () => {
      expect(readFileSync(path, 'utf8')).toBe(text)
    })
})

describe('the OpenAPI document', () => {
  const patterns = [...readFileSync('docs/openapi.json', 'utf8').matchAll(/"pattern": (".*")/g)].map(
    ([, pattern]) => JSON.parse(pattern!) as string,
  )

  it.each([...new Set(patterns)])('has a pattern as JSON Schema has it, without flags: %s', (pattern) => {
    expect(pattern).not.toMatch(/\/[a-z]+$/)
    expect(() => new RegExp(pattern, 'u')).not.toThrow()
  })
})

describe('the table', () => {
  it.each(Object.keys(operations) as OperationName[])('has the file of %s', async (name) => {
    expect((await operationOf(name)).run.name).toBe(name)
  })

  it.each(Object.keys(reactions) as ReactionName[])('has the file of %s', async (name) => {
    expect((await reactionOf(name)).run.name).toBe(name)
  })

  it.each(Object.entries<ReactionRow>(reactions))('lets %s lead only to an event that it emits', (_, row) => {
    expect([...row.emits, undefined]).toContain(row.leadsTo)
  })

  it.each(Object.entries<OperationRow | ReactionRow>(functions))(
    'lists only events of the catalogue for %s',
    (name, row) => {
      const all: Record<string, { domain: string }> = catalogue
      const { domain } = functions[name as FunctionName]
      for (const type of row.emits) expect(all[type]?.domain).toBe(domain)
      for (const type of 'on' in row ? row.on : []) expect(all).toHaveProperty([type])
    },
  )
})
