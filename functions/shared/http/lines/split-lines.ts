import { decodeUtf8 } from '../unicode.ts'

/** A line of a body, by its number, which begins at 1. */
export interface Line {
  line: number
  /** Its text without the line break; undefined if it cannot be read. */
  text?: string
  /** What is wrong with it, if it cannot be read. */
  fault?: string
}

/** The longest line, in bytes. */
export const maxLineBytes = 64 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Splits a body into lines while it arrives, and yields those that each chunk ends. It keeps no more than one chunk
 * and one line. A line that is too long, or is not UTF-8, is reported and does not stop the others. Blank lines count,
 * but are left out. A byte order mark is ignored.
 */
export async function* splitLines(
  body: AsyncIterable<Uint8Array>,
  maxLine = maxLineBytes,
): AsyncGenerator<Line[]> {
  /** The beginning of the line that has not ended yet. */
  let parts: Uint8Array[] = []
  let size = 0
  let line = 0
  const add = (part: Uint8Array) => {
    size += part.length
    if (size <= maxLine) parts.push(part)
    else parts = []
  }
  const end = (): Line[] => {
    line++
    const bytes = Buffer.concat(parts)
    const length = size
    parts = []
    size = 0
    if (length > maxLine) return [{ line, fault: `longer than ${maxLine} bytes` }]
    const text = decodeUtf8(bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes)
    if (text === undefined) return [{ line, fault: 'not valid UTF-8' }]
    return text.trim() === '' ? [] : [{ line, text }]
  }
  for await (const chunk of body) {
    const lines: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      add(chunk.subarray(from, at))
      lines.push(...end())
      from = at + 1
    }
    // a copy, so that the rest of the chunk can be freed
    if (from < chunk.length) add(chunk.slice(from))
    if (lines.length > 0) yield lines
  }
  const last = size > 0 ? end() : []
  if (last.length > 0) yield last
}
