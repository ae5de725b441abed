import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { startInstance } from './instance.ts'
import type { Instance } from './instance.ts'

const child = fileURLToPath(new URL('fixtures/child.js', import.meta.url))
const instances: Instance[] = []

function start(
  env: Record<string, string> = {},
  more: { args?: string[]; command?: string; startTimeoutMs?: number } = {},
) {
  const lines: string[] = []
  const instance = startInstance({
    name: 'get-order',
    command: process.execPath,
    args: [child],
    env: { ...process.env, ...env },
    log: (name, line) => lines.push(`${name}: ${line}`),
    ...more,
  })
  instances.push(instance)
  return { instance, lines }
}

afterEach(async () => {
  await Promise.all(instances.splice(0).map((instance) => instance.stop(0)))
})

describe('an instance', () => {
  it('is ready once its process listens, and tells how long that took', async () => {
    const { instance } = start()
    await instance.ready
    expect(instance.startMs).toBeGreaterThan(0)
    const answer = await fetch(`http://127.0.0.1:${instance.port}/echo`)
    expect(await answer.json()).toMatchObject({ name: 'get-order' })
  })

  it('gives every line of its process to the log', async () => {
    const { instance, lines } = start()
    await instance.ready
    await fetch(`http://127.0.0.1:${instance.port}/plain`)
    await expect.poll(() => lines).toContain('get-order: closed plain finished')
  })

  it('tells the last lines of stderr when its process ends before it listens', async () => {
    const { instance } = start({ CRASH: 'start' })
    await expect(instance.ready).rejects.toThrow(
      'get-order did not start: exit code 7\ncannot reach the moon',
    )
    expect(await instance.exited).toBe('exit code 7')
  })

  it('kills a process that does not listen in time', async () => {
    const { instance } = start({ WAIT_FOR: '/nonexistent' }, { startTimeoutMs: 100 })
    await expect(instance.ready).rejects.toThrow('it did not listen within 0.1 s')
    expect(await instance.exited).toBe('SIGKILL')
  })

  it('fails when the command does not exist', async () => {
    const { instance } = start({}, { command: '/nonexistent/node' })
    await expect(instance.ready).rejects.toThrow('ENOENT')
    await instance.stop()
  })

  it('lets its process end by itself on stop', async () => {
    const { instance } = start()
    await instance.ready
    await instance.stop()
    expect(await instance.exited).toBe('exit code 0')
  })

  it('kills a process that ignores SIGTERM after the grace', async () => {
    const { instance } = start({ STUBBORN: '1' })
    await instance.ready
    await instance.stop(50)
    expect(await instance.exited).toBe('SIGKILL')
  })

  it('runs in a process group of its own, out of reach of the terminal’s Ctrl-C', async () => {
    const { instance } = start()
    await instance.ready
    // Signal 0 to the group named by the pid succeeds only if the process leads it.
    expect(() => process.kill(-(instance.pid ?? 0), 0)).not.toThrow()
  })
})
