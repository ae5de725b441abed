import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDataDir } from '../lock.ts'

describe('npm run reset', () => {
  let folder: string
  let dataDir: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zeroshop-'))
    dataDir = join(folder, 'data')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const reset = (...flags: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'reset.ts'), ...flags],
      {
        env: { ...process.env, DATA_DIR: dataDir },
        encoding: 'utf8',
      },
    )
    return { status, said: (stdout + stderr).trim() }
  }

  it('removes the data folder with --yes', () => {
    lockDataDir(dataDir).release()
    expect(reset('--yes')).toEqual({ status: 0, said: `Removed ${dataDir}.` })
    expect(existsSync(dataDir)).toBe(false)
  })

  it('requires --yes if there is no terminal to ask in', () => {
    lockDataDir(dataDir).release()
    expect(reset()).toMatchObject({ status: 1, said: expect.stringContaining('npm run reset -- --yes') })
    expect(existsSync(dataDir)).toBe(true)
  })

  it('refuses while a shop is running on the folder', () => {
    const lock = lockDataDir(dataDir)
    expect(reset('--yes')).toMatchObject({
      status: 1,
      said: expect.stringContaining(`(process ${process.pid})`),
    })
    expect(existsSync(dataDir)).toBe(true)
    lock.release()
  })

  it('refuses to remove a folder that is not a data folder', () => {
    dataDir = folder
    writeFileSync(join(folder, 'thesis.tex'), '')
    expect(reset('--yes')).toMatchObject({ status: 1, said: expect.stringContaining('nothing was removed') })
    expect(existsSync(join(folder, 'thesis.tex'))).toBe(true)
  })

  it('has nothing to do if there is no folder', () => {
    expect(reset('--yes')).toEqual({ status: 0, said: `Nothing to remove: ${dataDir} does not exist.` })
  })
})
