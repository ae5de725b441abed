export type SpanBuffer = ReturnType<typeof createSpanBuffer>

interface Options {
  /** How many spans may be open or wait to be sent. */
  max?: number
  /** Called if half of the room is taken by spans that wait. */
  onHalfFull: () => void
  /** Called with the number of spans for which there was no room. */
  onDrop: (count: number) => void
}

/** Keeps ended spans until they are sent. A span reserves its room when it starts. */
export function createSpanBuffer({ max = 1_024, onHalfFull, onDrop }: Options) {
  let waiting: string[] = []
  let open = 0
  return {
    /** Returns whether there is room for another span. */
    reserve(): boolean {
      if (open + waiting.length >= max) {
        onDrop(1)
        return false
      }
      open++
      return true
    },
    /** Adds a span that had reserved its room. */
    add(encoded: string): void {
      open--
      waiting.push(encoded)
      if (waiting.length >= max / 2) onHalfFull()
    },
    take(): string[] {
      const taken = waiting
      waiting = []
      return taken
    },
    /** Adds spans that were taken, but have not arrived, as far as there is room. */
    putBack(taken: readonly string[]): void {
      const room = Math.max(0, max - open - waiting.length)
      waiting = [...taken.slice(0, room), ...waiting]
      if (taken.length > room) onDrop(taken.length - room)
    },
  }
}
