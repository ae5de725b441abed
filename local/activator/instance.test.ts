import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { openShop } from '../../test/shop.ts'
import { generateKeys } from '../../functions/users/tokens.ts'
import { startInstance } from './instance.ts'
import type { Instance, InstanceOptions } from './instance.ts'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const child = fixture('child.js')
const instances: Instance[] = []

function start(env: Record<string, string> = {}, more: Partial<InstanceOptions> = {}) {
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

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

afterEach(async () => {
  await Promise.all(instances.splice(0).map((instance) => instance.stop(0)))
})

describe('an instance', () => {
  it('is ready once its process listens, and reports how long that took', async () => {
    const { instance } = start()
    await instance.ready
    expect(instance.startMs).toBeGreaterThan(0)
    const answer = await fetch(`http://127.0.0.1:${instance.port}/echo`)
    expect(await answer.json()).toMatchObject({ name: 'get-order' })
  })

  it('starts when it is its turn, which ends when its process listens', async () => {
    const go = join(mkdtempSync(join(tmpdir(), 'instance-')), 'go')
    const { promise: turn, resolve: begin } = Promise.withResolvers<void>()
    let isOver = false
    const { instance } = start(
      { WAIT_FOR: go },
      { turn: (starting) => turn.then(starting).then(() => void (isOver = true)) },
    )
    expect(instance.pid).toBeUndefined()
    begin()
    await expect.poll(() => instance.pid).toBeGreaterThan(0)
    expect(isOver).toBe(false)
    writeFileSync(go, '')
    await instance.ready
    await expect.poll(() => isOver).toBe(true)
    rmSync(dirname(go), { recursive: true })
  })

  it('does not start if it is stopped before its turn', async () => {
    const { promise: turn, resolve: begin } = Promise.withResolvers<void>()
    const { instance } = start({}, { turn: (starting) => turn.then(starting) })
    await instance.stop()
    begin()
    await expect(instance.ready).rejects.toThrow('get-order did not start: it was stopped before')
    expect(await instance.exited).toBe('stopped before it was started')
    expect(instance.pid).toBeUndefined()
  })

  it('logs every line that its process writes', async () => {
    const { instance, lines } = start()
    await instance.ready
    await fetch(`http://127.0.0.1:${instance.port}/plain`)
    await expect.poll(() => lines).toContain('get-order: closed plain finished')
  })

  it('reports the last lines of stderr if its process ends before it listens', async () => {
    const { instance } = start({ CRASH: 'start' })
    await expect(instance.ready).rejects.toThrow(
      'get-order did not start: exit code 7\ncannot reach the database',
    )
    expect(await instance.exited).toBe('exit code 7')
  })

  it('kills a process that does not listen in time', async () => {
    const { instance } = start({ WAIT_FOR: '/nonexistent' }, { startTimeoutMs: 100 })
    await expect(instance.ready).rejects.toThrow('it did not listen within 0.1 s')
    expect(await instance.exited).toBe('SIGKILL')
  })

  it('fails if the command does not exist', async () => {
    const { instance } = start({}, { command: '/nonexistent/node' })
    await expect(instance.ready).rejects.toThrow('ENOENT')
    await instance.stop()
  })

  it('lets its process exit by itself when it is stopped', async () => {
    const { instance } = start()
    await instance.ready
    await instance.stop()
    expect(await instance.exited).toBe('exit code 0')
  })

  it('kills a process that ignores SIGTERM', async () => {
    const { instance } = start({ STUBBORN: '1' })
    await instance.ready
    await instance.stop(50)
    expect(await instance.exited).toBe('SIGKILL')
  })

  it('runs in its own process group, so that Ctrl-C in the terminal does not reach it', async () => {
    const { instance } = start()
    await instance.ready
    // signal 0 to this group succeeds only if the process leads it
    expect(() => process.kill(-(instance.pid ?? 0), 0)).not.toThrow()
  })

  it('that runs one of our functions ends if the runner is killed', async () => {
    const { privateKey, publicKeys } = await generateKeys()
    const shop = await openShop([])
    const runner = spawn(process.execPath, [fixture('runner.js'), fixture('../../../functions/main.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: shop.database('users'),
        JWT_PRIVATE_KEY: JSON.stringify(privateKey),
        JWT_PUBLIC_KEYS: JSON.stringify(publicKeys),
        SECOND_FACTOR_KEY: 'a key for second factors that is long enough',
      },
    })
    const [pid] = await once(runner.stdout.setEncoding('utf8'), 'data')
    expect(runs(Number(pid))).toBe(true)
    runner.kill('SIGKILL')
    // in a container, it may take init seconds to remove a process that has ended
    await expect.poll(() => runs(Number(pid)), { timeout: 15_000 }).toBe(false)
    await shop.close()
  })
})
