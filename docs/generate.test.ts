import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { catalogue } from '../events/catalogue.ts'
import {
  operations,
  reactions,
  reactionsOn,
  type OperationName,
  type ReactionName,
  type ReactionRow,
} from '../functions/functions.ts'
import { fileOf, loadOperation, loadReaction } from '../functions/modules.ts'
import { generated } from './generate.ts'

describe('generated files', async () => {
  for (const [path, text] of await generated())
    it(`${path} is what npm run generate writes`, () => {
      expect(readFileSync(path, 'utf8')).toBe(text)
    })
})

describe('the table', () => {
  it.each(Object.keys(operations) as OperationName[])('has the file of %s', async (name) => {
    expect(existsSync(`functions/${fileOf(name)}.ts`)).toBe(true)
    await expect(loadOperation(name)).resolves.toHaveProperty('name', name)
  })

  it.each(Object.keys(reactions) as ReactionName[])('has the file of %s', async (name) => {
    await expect(loadReaction(name)).resolves.toHaveProperty('name', name)
  })

  it.each(Object.entries<ReactionRow>(reactions))('knows the event that %s emits', (_, { leadsTo }) => {
    expect([...Object.keys(catalogue), undefined]).toContain(leadsTo)
  })

  it.each(Object.keys(catalogue))('names what is in the folder of %s', (type) => {
    const files = readdirSync(`events/${type}`).filter((file) => /^[^.]+\.ts$/.test(file))
    expect(files.toSorted()).toEqual(
      reactionsOn(type)
        .map((name) => `${name}.ts`)
        .toSorted(),
    )
  })
})
