import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'nats'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { natsOptions } from '../../events/nats-url.ts'
import { keepStore, type KeptStore } from './keep.ts'
import { startNats } from './nats.ts'
import { signal } from './process.ts'
import { externalStore } from './store.ts'
import { temporaryDataDir } from './temporary.ts'

describe('a store that is kept', () => {
  let dataDir: string
  let remove: () => Promise<void>
  let kept: KeptStore
  let lines: string[]
  let listening: (() => void)[]

  /** Waits for a line. */
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const line = lines.find((line) => pattern.test(line))
      if (line !== undefined) return line
      await new Promise<void>((resolve) => listening.push(resolve))
    }
  }
  const answers = async () => (await connect(natsOptions(kept.url))).close()

  beforeEach(async () => {
    ;({ dataDir, remove } = temporaryDataDir())
    lines = []
    listening = []
    const options = { dataDir, env: { PATH: process.env['PATH'] }, durable: false }
    kept = keepStore(
      await startNats(options),
      (port) => startNats({ ...options, port }),
      (name, line) => {
        lines.push(`${name}: ${line}`)
        for (const listen of listening.splice(0)) listen()
      },
    )
  })
  afterEach(async () => {
    await kept.stop()
    await remove()
  })

  it('is started again where it was if it is killed', async () => {
    const { pid } = kept
    signal(pid!, 'SIGKILL')
    expect(await said(/restarting/)).toMatch(
      /^nats: NATS was terminated by SIGKILL \(its log: .*nats\.log\); restarting it now$/,
    )
    expect(kept.down).toMatchObject({ reason: expect.stringMatching(/SIGKILL/) })
    expect(await said(/runs again/)).toMatch(/^nats: runs again after \d+\.\d s$/)
    expect(kept.down).toBeUndefined()
    expect(kept.pid).not.toBe(pid)
    await answers()
  })

  it('is restarted if it hangs and somebody notices', async () => {
    const { pid } = kept
    signal(pid!, 'SIGSTOP')
    kept.restart('does not answer')
    expect(await said(/restarting/)).toBe('nats: does not answer; restarting it now')
    await said(/runs again/)
    expect(kept.pid).not.toBe(pid)
    await answers()
  })

  it('is tried again, with pauses, for as long as it cannot be started', async () => {
    const folder = join(dataDir, 'nats')
    rmSync(folder, { recursive: true })
    // no folder can be made where there is a file
    writeFileSync(folder, '')
    signal(kept.pid!, 'SIGKILL')
    expect(await said(/in 1 s$/)).toMatch(/^nats: .* is not a folder.*; restarting it in 1 s$/)
    expect(kept.down).toMatchObject({ reason: expect.stringMatching(/is not a folder/) })
    rmSync(folder)
    await said(/runs again/)
    await answers()
  })

  it('stays stopped if it is stopped while it is started again', async () => {
    signal(kept.pid!, 'SIGKILL')
    await said(/restarting/)
    await kept.stop()
    await expect(answers()).rejects.toThrow('CONNECTION_REFUSED')
  })

  it('is left alone if somebody else runs it', async () => {
    const external = keepStore(
      externalStore('nats', kept.url, 'NATS at NATS_URL'),
      () => Promise.reject(new Error('it is not ours')),
      () => {},
    )
    expect(external.isOurs).toBe(false)
    external.restart('does not answer')
    await external.stop()
    await answers()
  })
})
