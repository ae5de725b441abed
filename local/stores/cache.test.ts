import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cached } from './cache.ts'
import { isRoot } from './access.js'

describe('cached', () => {
  let folder: string
  let places: string[]
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zeroshop-'))
    places = [join(folder, 'first'), join(folder, 'second')]
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const tool = { name: 'tool-1', program: 'bin/tool' }
  let fills = 0
  const fill = async (to: string) => {
    fills++
    mkdirSync(join(to, 'bin'), { mode: 0o700 })
    writeFileSync(join(to, 'bin/tool'), '', { mode: 0o700 })
  }

  it('fills a folder once, readable for all users', async () => {
    fills = 0
    const made = await cached(tool, fill, places)
    expect(made).toBe(join(places[0]!, 'tool-1'))
    expect(await cached(tool, fill, places)).toBe(made)
    expect(fills).toBe(1)
    for (const path of [made, join(made, 'bin'), join(made, 'bin/tool')])
      expect(statSync(path).mode & 0o777).toBe(0o755)
  })

  it('makes a folder readable that an earlier version has not', async () => {
    const made = await cached(tool, fill, places)
    chmodSync(made, 0o700)
    expect(await cached(tool, fill, places)).toBe(made)
    expect(statSync(made).mode & 0o777).toBe(0o755)
  })

  it('skips a folder whose program cannot be run', async () => {
    const made = await cached(tool, fill, places)
    chmodSync(join(made, 'bin/tool'), 0o600)
    const other = await cached(tool, fill, places)
    expect(other).toBe(join(places[1]!, 'tool-1'))
    chmodSync(join(other, 'bin/tool'), 0o600)
    expect(await cached(tool, fill, places)).toBe(made)
    expect(statSync(join(made, 'bin/tool')).mode & 0o777).toBe(0o755)
  })

  it('removes a folder that could not be filled', async () => {
    const failing = async (to: string) => {
      await fill(to)
      throw new Error('cut short')
    }
    await expect(cached(tool, failing, places)).rejects.toThrow(
      `Cannot keep downloads in ${places[0]} (cut short). Fix that, then start again.`,
    )
    expect(readdirSync(places[0]!)).toEqual([])
  })

  it.skipIf(!isRoot)('reports in one line that the disk is full', async () => {
    const disk = places[0]!
    mkdirSync(disk)
    writeFileSync(join(folder, 'large'), Buffer.alloc(2_000_000))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk])
    try {
      const copy = (to: string) => cp(join(folder, 'large'), join(to, 'large'))
      await expect(cached(tool, copy, places)).rejects.toThrow(
        `The disk that holds ${disk} is full. Free some space and start again.`,
      )
      expect(existsSync(join(disk, 'tool-1'))).toBe(false)
    } finally {
      execFileSync('umount', [disk])
    }
  })
})
