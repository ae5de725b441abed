import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isRoot, nobody } from './access.js'
import type { chooseDataDir } from './data-folder.js'

describe('the data folder', () => {
  let folder: string
  let checkout: string
  let home: string
  beforeEach(() => {
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'zeroshop-'))
    chmodSync(folder, 0o755)
    checkout = join(folder, 'my shop')
    home = join(folder, 'home')
    mkdirSync(join(checkout, 'local/stores'), { recursive: true })
    for (const file of ['access.js', 'data-folder.js'])
      cpSync(join(import.meta.dirname, file), join(checkout, 'local/stores', file))
    writeFileSync(join(checkout, 'package.json'), '{"type":"module"}')
    mkdirSync(home)
  })
  afterEach(() => rm(folder, { recursive: true }))

  /** Returns the choice of the copy of data-folder.js in the checkout. */
  const choose = (as: { uid?: number; gid?: number } = {}, env: Record<string, string> = {}) => {
    const module = JSON.stringify(join(checkout, 'local/stores/data-folder.js'))
    const script = `
      const { chooseDataDir } = await import(${module})
      console.log(JSON.stringify(chooseDataDir(process.env)))`
    // env skips a node that the user may not run, such as the one in node_modules
    const answer = execFileSync('/usr/bin/env', ['node', '--input-type=module', '-e', script], {
      ...as,
      cwd: '/',
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: home, ...env },
    })
    return JSON.parse(answer) as ReturnType<typeof chooseDataDir>
  }

  /** Creates the data of a shop that root has started. */
  const make = (dataDir: string) => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true })
    writeFileSync(join(dataDir, 'zeroshop.json'), '{}')
  }

  it('is .data in the checkout', () => {
    expect(choose()).toEqual({ dataDir: join(checkout, '.data') })
  })

  it('is DATA_DIR if that is set', () => {
    expect(choose({}, { DATA_DIR: '/srv/shop' })).toMatchObject({ dataDir: '/srv/shop' })
  })

  describe.skipIf(!isRoot)('if the tests run as root,', () => {
    it('is below /var/lib if PostgreSQL’s user may not enter the checkout', () => {
      chmodSync(folder, 0o700)
      const choice = choose()
      expect(choice).toEqual({
        dataDir: expect.stringMatching(/^\/var\/lib\/zeroshop\/my_shop-[\da-f]{8}$/),
        why: `PostgreSQL does not run as root, and the user it runs as may not enter ${folder}`,
      })
      expect(choose()).toEqual(choice)
    })

    it('is .data if it already contains the data, even if the checkout has been closed since', () => {
      make(join(checkout, '.data'))
      chmodSync(folder, 0o700)
      expect(choose()).toEqual({ dataDir: join(checkout, '.data') })
    })

    it('is in the home folder of a user who may not write to the checkout', () => {
      expect(choose(nobody)).toEqual({
        dataDir: expect.stringMatching(`^${home}/\\.local/share/zeroshop/my_shop-[\\da-f]{8}$`),
        why: `you may not write to ${checkout}, which belongs to root`,
      })
      expect(choose(nobody, { XDG_DATA_HOME: '/srv' }).dataDir).toMatch(/^\/srv\/zeroshop\/my_shop-/)
    })

    it('is a different one for each user', () => {
      make(join(checkout, '.data'))
      expect(choose(nobody)).toEqual({
        dataDir: expect.stringMatching(`^${home}/`),
        why: `${join(checkout, '.data')} belongs to root`,
      })
      chownSync(join(checkout, '.data/zeroshop.json'), nobody.uid, nobody.gid)
      expect(choose()).toEqual({
        dataDir: expect.stringMatching(/^\/var\/lib\/zeroshop\//),
        why: `${join(checkout, '.data')} belongs to nobody`,
      })
    })

    it('stays the same if the checkout can be used later', () => {
      const { dataDir } = choose(nobody)
      make(dataDir)
      chownSync(checkout, nobody.uid, nobody.gid)
      expect(choose(nobody)).toEqual({ dataDir, why: 'created when .data could not be used' })
    })
  })
})
