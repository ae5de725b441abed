import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nodeFlags } from './processes.ts'

it('npm start saves memory, too', () => {
  const file = join(import.meta.dirname, '../package.json')
  const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts: Record<string, string> }
  expect(scripts['start']).toContain(`env MALLOC_ARENA_MAX=1 node ${nodeFlags.join(' ')} local/`)
})
