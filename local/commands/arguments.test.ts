import { describe, expect, it } from 'vitest'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { parseArguments } from './arguments.ts'

describe('the arguments of a command', () => {
  const parse = (...args: string[]) =>
    parseArguments('npm start -- [options]\n  --window SECONDS', {
      args,
      options: { window: { type: 'string' } },
    }).values

  it('are parsed', () => {
    expect(parse('--window', '5')).toEqual({ window: '5' })
  })

  it.each([
    [['--fast'], "Unknown option '--fast'. See npm start -- --help."],
    [['--window'], "Option '--window <value>' argument missing. See npm start -- --help."],
    [['now'], "Unexpected argument 'now'. See npm start -- --help."],
  ])('are refused in one line if invalid: %j', (args, message) => {
    expect(() => parse(...args)).toThrow(new UserError(message))
  })
})
