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

  /** Starts a process that tries to take the lock, prints the result, and holds the lock until its input ends. */
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

  it('goes to exactly one of many processes that start at once, and the others report which', async () => {
    const all = Array.from({ length: 6 }, contender)
    const answers = await Promise.all(all.map(({ answer }) => answer))
    await Promise.all(all.map(({ end }) => end()))
    const winner = all[answers.indexOf('locked')]
    const refusal = `Zeroshop is already running on this data folder (process ${winner?.pid}). Stop it, or set DATA_DIR to another folder.`
    expect(answers.filter((answer) => answer !== 'locked')).toEqual(Array.from({ length: 5 }, () => refusal))
  })

  it('goes to the next process after its holder was killed', async () => {
    const holder = contender()
    expect(await holder.answer).toBe('locked')
    await holder.end()
    lockDataDir(dataDir).release()
  })

  it('is not held by another process with the same pid', () => {
    lockDataDir(dataDir).release()
    writeFileSync(join(dataDir, 'lock', `1.${'0'.repeat(8)}-1.held`), '')
    lockDataDir(dataDir).release()
    expect(readdirSync(join(dataDir, 'lock'))).toEqual([])
  })

  it('is refused to a process that already has it', () => {
    const lock = lockDataDir(dataDir)
    expect(() => lockDataDir(dataDir)).toThrow(`(process ${process.pid})`)
    lock.release()
    lockDataDir(dataDir).release()
  })

  it('refuses a folder that contains other files', () => {
    expect(() => lockDataDir(import.meta.dirname)).toThrow(/contains files that do not belong to Zeroshop/)
  })

  it('accepts a folder that contains results of other commands', () => {
    mkdirSync(join(dataDir, 'faults'), { recursive: true })
    expect(() => lockDataDir(dataDir).release()).not.toThrow()
  })

  it('refuses a file', () => {
    writeFileSync(dataDir, '')
    expect(() => lockDataDir(dataDir)).toThrow(/is not a folder\. Set DATA_DIR/)
  })
})
