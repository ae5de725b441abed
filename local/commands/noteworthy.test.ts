import { describe, expect, it } from 'vitest'
import { noteworthy } from './noteworthy.ts'

describe('what the terminal shows of the processes', () => {
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
  ])('is errors and last words in one line, without stacks: %j', (line, shown) => {
    expect(noteworthy()('f', line)).toBe(shown)
  })

  it('is the same line once a minute for each process', () => {
    let now = 0
    const show = noteworthy(() => now)
    expect([show('f', 'oh'), show('f', 'oh'), show('g', 'oh')]).toEqual(['f: oh', undefined, 'g: oh'])
    now = 60_000
    expect(show('f', 'oh')).toBe('f: oh')
  })
})
