import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withFakeTimers } from '../vitest.config.ts'

it('files in which setTimeout is fake have processes of their own', () => {
  const cwd = join(import.meta.dirname, '..')
  const files = execFileSync('git', ['ls-files', '--', '*.test.ts'], { cwd, encoding: 'utf8' }).trim()
  const found = files.split('\n').filter((file) => {
    const calls = readFileSync(join(cwd, file), 'utf8').matchAll(/useFakeTimers\((.*)/g)
    // without `toFake`, all timers are fake
    return [...calls].some(
      ([, options = '']) => !options.includes('toFake') || options.includes("'setTimeout'"),
    )
  })
  expect(found).toEqual([...withFakeTimers].sort())
})
