import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitLines, type Line } from './split-lines.ts'

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function linesOf(bytes: Uint8Array, sizes = [7], maxLine = 100): Promise<Line[]> {
  const lines: Line[] = []
  for await (const some of splitLines(inPieces(bytes, sizes), maxLine)) lines.push(...some)
  return lines
}

describe('splitting a body into lines', () => {
  it('numbers them, with any line break, and leaves blank ones out', async () => {
    expect(await linesOf(Buffer.from('\ufeffa\r\n\n  \nb\nc'))).toEqual([
      { line: 1, text: 'a' },
      { line: 4, text: 'b' },
      { line: 5, text: 'c' },
    ])
    expect(await linesOf(Buffer.from(''))).toEqual([])
    expect(await linesOf(Buffer.from('\n\n'))).toEqual([])
  })

  it('finds the same lines however the body is cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ö', '😀', '"', ',', '\n', '\r\n'), maxLength: 60 })
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(text, sizes, async (text, sizes) => {
        const expected = text.split('\n').flatMap((line, i) => {
          const found = line.replace(/\r$/, '')
          return found.trim() === '' ? [] : [{ line: i + 1, text: found }]
        })
        expect(await linesOf(Buffer.from(text), sizes)).toEqual(expected)
      }),
    )
  })

  it('reports lines that are too long or not UTF-8, and goes on', async () => {
    const body = Buffer.concat([
      Buffer.from(`${'x'.repeat(100)}\n${'y'.repeat(101)}\n`),
      Buffer.from([0xff, 0x0a]),
      Buffer.from(`z\n${'w'.repeat(1000)}`),
    ])
    expect(await linesOf(body, [33])).toEqual([
      { line: 1, text: 'x'.repeat(100) },
      { line: 2, fault: 'longer than 100 bytes' },
      { line: 3, fault: 'not valid UTF-8' },
      { line: 4, text: 'z' },
      { line: 5, fault: 'longer than 100 bytes' },
    ])
  })

  it('keeps nothing of a line that is too long', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    async function* endless() {
      for (let n = 0; n < 300; n++) yield chunk
      yield Buffer.from('\nlast')
    }
    const before = process.memoryUsage().rss
    let most = 0
    const lines: Line[] = []
    for await (const some of splitLines(endless())) {
      most = Math.max(most, process.memoryUsage().rss - before)
      lines.push(...some)
    }
    expect(lines).toEqual([
      { line: 1, fault: 'longer than 65536 bytes' },
      { line: 2, text: 'last' },
    ])
    expect(most).toBeLessThan(100 * 1024 * 1024)
  })

  it('yields each line as soon as it ends', async () => {
    let sent = 0
    async function* slow() {
      for (const piece of ['a\nb', '\n', 'c\n']) {
        sent++
        yield Buffer.from(piece)
      }
    }
    const seen: [number, string][] = []
    for await (const lines of splitLines(slow())) for (const { text } of lines) seen.push([sent, text!])
    expect(seen).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ])
  })
})
