import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runKilledRunner } from './fixtures/killed.ts'
import { startMongo } from './mongodb.ts'
import { signal } from './process.ts'
import { temporaryDataDir } from './temporary.ts'

const env = { PATH: process.env['PATH'] }

const withClient = async <T>(url: string, use: (client: MongoClient) => Promise<T>): Promise<T> => {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000 })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
const write = (url: string) =>
  withClient(url, (client) => client.db('shop').collection('kept').insertOne({ answer: 'yes' }))
const read = (url: string) =>
  withClient(url, (client) => client.db('shop').collection('kept').countDocuments({ answer: 'yes' }))

describe('startMongo', () => {
  let dataDir: string
  let remove: () => Promise<void>
  beforeEach(() => ({ dataDir, remove } = temporaryDataDir()))
  afterEach(() => remove())

  it('keeps its data when it is stopped and started again', async () => {
    const first = await startMongo({ dataDir, env })
    await write(first.url)
    await first.stop()
    const second = await startMongo({ dataDir, env })
    expect(new URL(second.url).password).toBe(new URL(first.url).password)
    expect(await read(second.url)).toBe(1)
    await second.stop()
  })

  it('reports that it was killed, and loses nothing that was acknowledged', async () => {
    const first = await startMongo({ dataDir, env })
    await write(first.url)
    signal(first.pid ?? 0, 'SIGKILL')
    expect(await first.died).toMatch(/was terminated by SIGKILL/)
    const second = await startMongo({ dataDir, env })
    expect(await read(second.url)).toBe(1)
    await second.stop()
  })

  it('stops and replaces a server that was left over from a killed runner', async () => {
    const left = await runKilledRunner('mongodb', dataDir)
    const said: string[] = []
    const second = await startMongo({ dataDir, env, log: (line) => said.push(line) })
    expect(said).toEqual([`Stopping mongodb (process ${left}), left over from a run that was killed`])
    await second.stop()
  })

  it('reports which server it uses and why, and does not stop the server at MONGODB_URL', async () => {
    const own = await startMongo({ dataDir, env })
    expect(own.origin).toMatch(/\(.*MONGODB_URL is not set/)
    const named = await startMongo({ dataDir, env: { MONGODB_URL: own.url } })
    expect(named.origin).toMatch(/^MongoDB [\d.]+ at MONGODB_URL \(mongodb:\/\/127\.0\.0\.1:\d+\/\)$/)
    await named.stop()
    await write(own.url)
    await own.stop()
  })

  it('refuses clients without its password, and sets one for data from before there were passwords', async () => {
    const first = await startMongo({ dataDir, env })
    await write(first.url)
    const open = new URL(first.url)
    Object.assign(open, { username: '', password: '' })
    open.searchParams.delete('authSource')
    const guessed = Object.assign(new URL(first.url), { password: 'guessed' })
    await expect(read(open.href)).rejects.toThrow(/requires authentication/i)
    await expect(read(guessed.href)).rejects.toThrow(/authentication failed/i)
    await first.stop()
    for (const file of readdirSync(dataDir).filter((name) => name.endsWith('.password'))) {
      expect(statSync(join(dataDir, file)).mode & 0o077).toBe(0)
      rmSync(join(dataDir, file))
    }
    const second = await startMongo({ dataDir, env })
    expect(new URL(second.url).password).not.toBe(new URL(first.url).password)
    expect(await read(second.url)).toBe(1)
    await second.stop()
  })

  it('stops in time, even while a client is connected', async () => {
    const own = await startMongo({ dataDir, env })
    await withClient(own.url, async (client) => {
      await client.db('shop').collection('kept').insertOne({ answer: 'yes' })
      const before = Date.now()
      await own.stop()
      expect(Date.now() - before).toBeLessThan(4500)
    })
  })
})
