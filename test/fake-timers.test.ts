import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withFakeTimers } from '../vitest.config.ts'

it('files with fake timers have processes of their own', () => {
  const cwd = join(import.meta.dirname, '..')
  const files = execFileSync('git', ['grep', '-l', 'vi.useFakeTimers', '--', '*.test.ts'], {
    cwd,
    encoding: 'utf8',
  })
  const others = files
    .trim()
    .split('\n')
    .filter((file) => file !== 'test/fake-timers.test.ts')
  expect(others).toEqual(withFakeTimers)
})
