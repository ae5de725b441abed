import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Degraded } from '../../functions/shared/process/service.ts'
import { keepStore, type KeptStore } from './keep.ts'
import { startNats } from './nats.ts'
import { temporaryDataDir } from './temporary.ts'
import { watchStores, type StoresWatch } from './watch.ts'

describe('the watch over the stores', () => {
  let dataDir: string
  let remove: () => Promise<void>
  let nats: KeptStore
  let watch: StoresWatch
  let lines: string[]
  /** What the relay finds. */
  let found: Degraded[]
  const finding = { store: 'nats', since: new Date(0).toISOString(), reason: 'no space left' } as const

  beforeEach(async () => {
    ;({ dataDir, remove } = temporaryDataDir())
    lines = []
    found = []
    const options = { dataDir, env: { PATH: process.env['PATH'] }, durable: false }
    const log = (name: string, line: string) => void lines.push(`${name}: ${line}`)
    const again = (port: number) => startNats({ ...options, port })
    nats = keepStore(await startNats(options), again, log)
    watch = watchStores({
      stores: [nats],
      ask: async () => found,
      dataDir,
      log,
      pollMs: 5,
      patience: { staleMs: 50, stuckAfterMs: 500 },
    })
  })
  afterEach(async () => {
    watch.stop()
    await nats.stop()
    await remove()
  })

  it('says what does not work, and when it works again', async () => {
    expect(watch.degraded()).toEqual([])
    found = [finding]
    await vi.waitFor(() => expect(lines).toEqual(['nats: does not work: no space left']))
    expect(watch.degraded()).toEqual([finding])
    found = []
    await vi.waitFor(() => expect(lines[1]).toMatch(/^nats: works again after \d+ s$/))
    expect(watch.degraded()).toEqual([])
  })

  it('restarts a store of ours that has not worked for long', async () => {
    const { pid } = nats
    found = [finding]
    await vi.waitFor(() => expect(lines.at(-1)).toMatch(/^nats: runs again/), { timeout: 10_000 })
    expect(nats.pid).not.toBe(pid)
    expect(lines[1]).toMatch(/^nats: has not worked for \d+ s \(no space left\); restarting it now$/)
  })
})
