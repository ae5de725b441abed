import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openJournal } from './journal.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zeroshop-journal-'))
  path = join(dir, 'new', 'journal.jsonl')
})
afterEach(() => rmSync(dir, { recursive: true }))

// the test writes every line itself
const parse = (line: string) => JSON.parse(line) as { n: number }
const open = () => openJournal(path, parse)

describe('the journal', () => {
  it('returns the appended entries in sequence', async () => {
    const { entries, journal } = await open()
    expect(entries).toEqual([])
    const all = Array.from({ length: 500 }, (_, n) => ({ n }))
    await Promise.all(all.map((entry) => journal.append(entry)))
    expect(await text(journal.read())).toBe(all.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    await journal.close()
    const again = await open()
    expect(again.entries).toEqual(all)
    await again.journal.close()
  })

  it('has written a line to the disk when append resolves', async () => {
    const { journal } = await open()
    for (let n = 0; n < 20; n++) {
      await journal.append({ n })
      expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(n + 2)
    }
    await journal.close()
  })

  it.each(['{"n":', '{"n":3}', '\0\0\0\0', '{"n":\n'])(
    'removes an incomplete last line: %j',
    async (torn) => {
      const { journal } = await open()
      await journal.append({ n: 1 })
      await journal.close()
      const good = readFileSync(path, 'utf8')
      appendFileSync(path, torn)
      const again = await open()
      expect(again.entries).toEqual([{ n: 1 }])
      await again.journal.append({ n: 2 })
      expect(readFileSync(path, 'utf8')).toBe(`${good}{"n":2}\n`)
      await again.journal.close()
    },
  )

  it('throws if the journal is damaged in the middle, and does not change it', async () => {
    const { journal } = await open()
    await journal.close()
    writeFileSync(path, '{"n":1}\n{"n"\n{"n":3}\n')
    await expect(open()).rejects.toThrow(/is damaged at byte 8/)
    expect(readFileSync(path, 'utf8')).toContain('{"n":3}')
  })
})
