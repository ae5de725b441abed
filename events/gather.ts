interface Options<T> {
  /** The size of an item in bytes. */
  size: (item: T) => number
  /** The most items of a batch. */
  max: number
  /** The most bytes of a batch with several items. */
  maxBytes: number
  /** The longest that an item waits for others while something is being sent, in ms. */
  waitMs: number
  /** If it is given, an item waits even if nothing is being sent. It is asked again whenever an item comes. */
  patience?: (() => Patience) | undefined
}

export interface Patience {
  /**
   * An item waits until no other has come for this long, in ms. So the faster items come, the more of them are sent
   * together.
   */
  quietMs: number
  /** The longest that an item waits, in ms. */
  waitMs: number
}

interface Waiting<T> {
  item: T
  /** When it came, by performance.now(). */
  since: number
  done: () => void
}

/**
 * Returns `add`, which sends an item together with others that wait, and `finish`, after which nothing waits any more. While nothing is being sent, an item is sent at
 * once; otherwise it waits until that has ended, a batch is full, or its time has come. So there are batches only if
 * items come faster than they are sent, and a slow batch does not hold up what comes after it.
 * @param send must not throw
 */
export function gathering<T>(
  send: (items: T[]) => Promise<void>,
  { size, max, maxBytes, waitMs, patience }: Options<T>,
): { add: (item: T) => Promise<void>; finish: () => void } {
  let waiting: Waiting<T>[] = []
  let underWay = 0
  let isScheduled = false
  let isFinishing = false
  let timer: NodeJS.Timeout | undefined
  return { add, finish }

  function add(item: T): Promise<void> {
    return new Promise((done) => {
      waiting.push({ item, since: performance.now(), done })
      if (isScheduled) return
      isScheduled = true
      // after all that has arrived with it
      setImmediate(() => {
        isScheduled = false
        flush()
      })
    })
  }

  function finish() {
    isFinishing = true
    flush()
  }

  function mayStart() {
    return isFinishing || (underWay === 0 && patience === undefined)
  }

  function flush(isDue = false) {
    const enough = isDue ? 1 : max
    while (waiting.length >= enough || (waiting.length > 0 && mayStart())) start(nextBatch())
    clearTimeout(timer)
    if (waiting[0] === undefined) return
    const patient = patience?.()
    const leftMs = waiting[0].since + (patient?.waitMs ?? waitMs) - performance.now()
    timer = setTimeout(() => flush(true), Math.min(leftMs, patient?.quietMs ?? leftMs))
  }

  function nextBatch(): Waiting<T>[] {
    let bytes = 0
    const rest = waiting.findIndex(({ item }, i) => i === max || ((bytes += size(item)) > maxBytes && i > 0))
    const batch = rest === -1 ? waiting : waiting.slice(0, rest)
    waiting = rest === -1 ? [] : waiting.slice(rest)
    return batch
  }

  function start(batch: Waiting<T>[]) {
    underWay++
    void send(batch.map(({ item }) => item)).finally(() => {
      underWay--
      for (const { done } of batch) done()
      flush()
    })
  }
}
