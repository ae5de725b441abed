import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Runs a command with the body `main` of its main function. */
function command(main: string, prefix = '') {
  const path = (file: string) => JSON.stringify(join(import.meta.dirname, file))
  const script = `
    import { run } from ${path('run.ts')}
    import { UserError } from ${path('user-error.ts')}
    await run(async () => { ${main} }, '${prefix}')`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '0' },
  })
  return { status, stdout, stderr }
}

describe('a command', () => {
  it('exits with 0 if it succeeds', () => {
    expect(command(`console.log('done')`)).toEqual({ status: 0, stdout: 'done\n', stderr: '' })
  })

  it('exits with the code that its main function returns', () => {
    expect(command('return 3')).toEqual({ status: 3, stdout: '', stderr: '' })
  })

  it('prints only the message of an error for users', () => {
    const fails = `throw new UserError('The disk is full. Free some space.')`
    expect(command(fails)).toEqual({ status: 1, stdout: '', stderr: 'The disk is full. Free some space.\n' })
    expect(command(fails, 'zeroshop: ')).toMatchObject({
      status: 1,
      stderr: 'zeroshop: The disk is full. Free some space.\n',
    })
  })

  it('prints any other error with its stack', () => {
    const { status, stderr } = command(`throw new TypeError('x is not a function')`, 'zeroshop: ')
    expect(status).toBe(1)
    expect(stderr).toMatch(/^TypeError: x is not a function\n +at /)
  })
})
