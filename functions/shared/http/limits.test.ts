import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../process/config.ts'
import { addressBehind } from './client-address.ts'
import { openLimits } from './limits.ts'

const log = pino({ level: 'silent' })
const open = (factor: string) =>
  openLimits(readConfig({ LIMITS_FACTOR: factor }), addressBehind('1'), () => undefined, log)

describe('LIMITS_FACTOR', () => {
  it.each(['1', '0.5', '1000', ''])('may be a number: %j', (factor) => expect(open(factor)).toBeDefined())

  it.each(['0', '0.0'])('switches limits off: %j', (factor) => expect(open(factor)).toBeUndefined())

  it.each([' ', '-1', 'many', '1e999', 'NaN'])('cannot be %j', (factor) =>
    expect(() => open(factor)).toThrow(
      `LIMITS_FACTOR=${factor}: set it to a number, such as 2 to double every limit, or 0 for no limits.`,
    ),
  )
})
