import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Runs a command with the body `main` of its main function. */
function command(main: string, { prefix = '', env = {} }: { prefix?: string; env?: NodeJS.ProcessEnv } = {}) {
  const path = (file: string) => JSON.stringify(join(import.meta.dirname, file))
  const script = `
    import { run } from ${path('run.ts')}
    import { UserError } from ${path('user-error.ts')}
    await run(async () => { ${main} }, '${prefix}')`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '0', ...env },
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
    expect(command(fails, { prefix: 'zeroshop: ' })).toMatchObject({
      status: 1,
      stderr: 'zeroshop: The disk is full. Free some space.\n',
    })
  })

  it('prints any other error with its stack', () => {
    const { status, stderr } = command(`throw new TypeError('x is not a function')`, { prefix: 'zeroshop: ' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^TypeError: x is not a function\n +at /)
  })

  it.each(['NO_PROXY', 'no_proxy'])('takes no proxy on loopback, and keeps what %s names', (name) => {
    const asks = `
      const { createServer, get } = await import('node:http')
      const { text } = await import('node:stream/consumers')
      const server = createServer((_, response) => response.end('direct')).listen(0).unref()
      await new Promise((resolve) => server.once('listening', resolve))
      for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
        const url = 'http://' + host + ':' + server.address().port
        console.log(await (await fetch(url)).text())
        console.log(await text(await new Promise((resolve, reject) => get(url, resolve).on('error', reject))))
      }
      console.log(process.env.NO_PROXY)
      server.closeAllConnections()`
    const proxy = 'http://127.0.0.1:1'
    const env = {
      NO_PROXY: undefined,
      no_proxy: undefined,
      [name]: 'shop.test',
      HTTP_PROXY: proxy,
      http_proxy: proxy,
    }
    const { stdout, stderr } = command(asks, { env: { ...env, NODE_USE_ENV_PROXY: '1' } })
    expect({ stdout, stderr }).toEqual({
      stdout: `${'direct\n'.repeat(6)}shop.test,localhost,127.0.0.1,::1,[::1]\n`,
      stderr: '',
    })
  })
})
