import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDataDir } from './lock.ts'

describe('lockDataDir', () => {
  let folder: string
  let dataDir: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zeroshop-'))
    dataDir = join(folder, 'data')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** A process that tries to take the lock, says how that went, and holds it until its input ends. */
  const contender = () => {
    const script = `
      const { lockDataDir } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))})
      try { lockDataDir(${JSON.stringify(dataDir)}); console.log('locked') } catch (error) { console.log(error.message) }
      process.stdin.resume()`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const answer = once(child.stdout, 'data').then(([line]: unknown[]) => String(line).trim())
    const end = async (how: 'SIGTERM' | 'SIGKILL' = 'SIGKILL') => {
      child.kill(how)
      await once(child, 'exit')
    }
    return { pid: child.pid, answer, end }
  }

  it('goes to exactly one of many that start at once, and the others name it', async () => {
    const all = Array.from({ length: 6 }, contender)
    const answers = await Promise.all(all.map(({ answer }) => answer))
    await Promise.all(all.map(({ end }) => end()))
    const winner = all[answers.indexOf('locked')]
    const refusal = `Zeroshop already runs on this data folder (process ${winner?.pid}). Stop it, or set DATA_DIR to another folder.`
    expect(answers.filter((answer) => answer !== 'locked')).toEqual(Array.from({ length: 5 }, () => refusal))
  })

  it('passes to the next process when its holder was killed', async () => {
    const holder = contender()
    expect(await holder.answer).toBe('locked')
    await holder.end()
    lockDataDir(dataDir).release()
  })

  it('is not held by a process that only has the same number', () => {
    lockDataDir(dataDir).release()
    writeFileSync(join(dataDir, 'lock', `1.${'0'.repeat(8)}-1.held`), '')
    lockDataDir(dataDir).release()
    expect(readdirSync(join(dataDir, 'lock'))).toEqual([])
  })

  it('is refused to the process that has it already', () => {
    const lock = lockDataDir(dataDir)
    expect(() => lockDataDir(dataDir)).toThrow(`(process ${process.pid})`)
    lock.release()
    lockDataDir(dataDir).release()
  })

  it('refuses a folder with files of somebody else', () => {
    expect(() => lockDataDir(import.meta.dirname)).toThrow(/holds files that are not Zeroshop's/)
  })

  it('accepts a folder in which other commands have left their results', () => {
    mkdirSync(join(dataDir, 'faults'), { recursive: true })
    expect(() => lockDataDir(dataDir).release()).not.toThrow()
  })

  it('refuses something that is not a folder', () => {
    writeFileSync(dataDir, '')
    expect(() => lockDataDir(dataDir)).toThrow(/is not a folder\. Set DATA_DIR/)
  })
})
