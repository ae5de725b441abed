import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mutations } from './mutations.ts'

it.each(mutations)('the mutation “$name” changes one place', ({ file, find }) => {
  const source = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
  expect(source.split(find)).toHaveLength(2)
})
