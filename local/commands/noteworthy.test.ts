import { describe, expect, it } from 'vitest'
import { noteworthy } from './noteworthy.ts'

describe('the output of processes in the terminal', () => {
  it.each([
    ['{"level":30,"msg":"listening"}', undefined],
    ['{"level":40,"msg":"failed; trying again"}', undefined],
    [
      '{"level":50,"msg":"request failed","err":{"message":"no luck\\nat all"}}',
      'f: request failed: no luck',
    ],
    ['{"level":50,', 'f: {"level":50,'],
    ['TypeError: x is not a function', 'f: TypeError: x is not a function'],
    ['    at ModuleJob.run (node:internal/modules/esm/module_job:561:25)', undefined],
    ['Node.js v24.21.0', undefined],
    ['', undefined],
  ])(
    'contains errors and the last output of a crash, in one line and without the stack: %j',
    (line, shown) => {
      expect(noteworthy()('f', line)).toBe(shown)
    },
  )

  it('repeats the same line of a process at most once a minute', () => {
    let now = 0
    const show = noteworthy(() => now)
    expect([show('f', 'oh'), show('f', 'oh'), show('g', 'oh')]).toEqual(['f: oh', undefined, 'g: oh'])
    now = 60_000
    expect(show('f', 'oh')).toBe('f: oh')
  })
})
