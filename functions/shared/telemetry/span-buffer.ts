export type SpanBuffer = ReturnType<typeof createSpanBuffer>

interface Options {
  /** How many spans may be open or wait to be sent. */
  max?: number
  /** How many bytes the spans that wait may have. */
  maxBytes?: number
  /** Called if half of the room is taken by spans that wait. */
  onHalfFull: () => void
  /** Called with the number of spans for which there was no room. */
  onDrop: (count: number) => void
}

/** Encoded spans, with a comma after each. */
export interface Spans {
  count: number
  length: number
  bytes: Buffer
}

/**
 * Keeps encoded spans until they are sent. A span reserves its room when it starts. The spans are bytes outside of the
 * heap, because so many strings that live for a moment would make the heap of a small process grow by half.
 */
export function createSpanBuffer({ max = 1_024, maxBytes = 512 * 1024, onHalfFull, onDrop }: Options) {
  let waiting: Spans | undefined
  let spare: Spans | undefined
  let open = 0

  const empty = (): Spans => {
    const found = spare ?? { count: 0, length: 0, bytes: Buffer.allocUnsafeSlow(maxBytes) }
    spare = undefined
    return Object.assign(found, { count: 0, length: 0 })
  }

  return {
    /** Returns whether there is room for another span. */
    reserve(): boolean {
      if (open + (waiting?.count ?? 0) >= max) {
        onDrop(1)
        return false
      }
      open++
      return true
    },
    /** Adds a span that had reserved its room. */
    add(encoded: string): void {
      open--
      const into = (waiting ??= empty())
      // a character of UTF-16 has at most three bytes
      const isLong = into.length + 3 * encoded.length + 1 > maxBytes
      if (isLong && into.length + Buffer.byteLength(encoded) + 1 > maxBytes) return onDrop(1)
      into.length += into.bytes.write(encoded, into.length)
      into.bytes[into.length++] = comma
      into.count++
      if (into.count >= max / 2 || into.length >= maxBytes / 2) onHalfFull()
    },
    /** Returns the spans that wait, which the caller puts back or releases. */
    take(): Spans | undefined {
      const taken = waiting
      waiting = undefined
      return taken
    },
    /** Frees the room of spans that were taken. */
    release(taken: Spans): void {
      spare = taken
    },
    /** Keeps spans that were taken, but have not arrived. */
    putBack(taken: Spans): void {
      if (waiting !== undefined) {
        const { count, length, bytes } = waiting
        if (taken.count + count <= max && taken.length + length <= maxBytes) {
          bytes.copy(taken.bytes, taken.length, 0, length)
          taken.length += length
          taken.count += count
        } else onDrop(count)
        spare = waiting
      }
      waiting = taken
    },
  }
}

const comma = 0x2c
