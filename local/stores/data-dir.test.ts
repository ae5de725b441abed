import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataDir } from './data-dir.ts'
import { marker } from './data-folder.js'
import { temporaryFolder } from './temporary.ts'

describe('the data folder', () => {
  let folder: string
  let remove: () => void
  beforeEach(() => ({ folder, remove } = temporaryFolder()))
  afterEach(() => remove())

  const modeOf = (path: string) => statSync(path).mode & 0o777

  it('is closed to other users, and the folders above it are not', () => {
    const dataDir = join(folder, 'above', 'data')
    openDataDir(dataDir)
    expect([modeOf(dataDir), modeOf(join(folder, 'above'))]).toEqual([0o700, 0o755])
  })

  it('is closed to them if an earlier version has made it', () => {
    const dataDir = join(folder, 'data')
    openDataDir(dataDir)
    chmodSync(dataDir, 0o755)
    openDataDir(dataDir)
    expect(modeOf(dataDir)).toBe(0o700)
  })

  it('keeps its mode if it holds other files, which are not ours', () => {
    const dataDir = join(folder, 'photos')
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o755)
    writeFileSync(join(dataDir, 'cat.jpg'), '')
    expect(() => openDataDir(dataDir)).toThrow(`${dataDir} contains files that do not belong to Zeroshop.`)
    expect(modeOf(dataDir)).toBe(0o755)
    writeFileSync(join(dataDir, marker), '{}')
    openDataDir(dataDir)
    expect(modeOf(dataDir)).toBe(0o700)
  })
})
