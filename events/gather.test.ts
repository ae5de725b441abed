import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { gathering, type Patience } from './gather.ts'

/** What was sent, and how to end each. */
let sent: number[][]
let ends: (() => void)[]
let add: (item: number) => Promise<void>
let finish: () => void

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  sent = []
  ends = []
  ;({ add, finish } = gathering<number>(
    (items) => {
      sent.push(items)
      return new Promise((resolve) => ends.push(resolve))
    },
    { max: 4, maxBytes: 100, size: (item) => item, waitMs: 50 },
  ))
})
afterEach(() => void vi.useRealTimers())

const addAll = async (...items: number[]) => {
  const added = items.map((item) => add(item))
  await turn()
  return { added }
}

it('sends what arrives at once together, without waiting', async () => {
  await addAll(1, 2, 3)
  expect(sent).toEqual([[1, 2, 3]])
})

it('sends what arrives while it is sending as soon as that has ended', async () => {
  const {
    added: [first],
  } = await addAll(1)
  await addAll(2)
  await addAll(3)
  expect(sent).toEqual([[1]])
  ends[0]!()
  await first
  expect(sent).toEqual([[1], [2, 3]])
})

it('sends a full batch while it is sending', async () => {
  await addAll(1)
  await addAll(2, 3, 4)
  await addAll(5, 6)
  expect(sent).toEqual([[1], [2, 3, 4, 5]])
})

it('lets nothing wait longer than it may for a batch that is slow', async () => {
  await addAll(1)
  await addAll(2)
  vi.advanceTimersByTime(49)
  await addAll(3)
  expect(sent).toEqual([[1]])
  vi.advanceTimersByTime(1)
  expect(sent).toEqual([[1], [2, 3]])
  await addAll(4)
  vi.advanceTimersByTime(50)
  expect(sent).toEqual([[1], [2, 3], [4]])
})

it('bounds the bytes of a batch, but sends what is larger alone', async () => {
  await addAll(60, 40, 1, 500)
  ends[0]!()
  await turn()
  ends[1]!()
  await turn()
  expect(sent).toEqual([[60, 40], [1], [500]])
})

it('tells each sender when its item has been sent', async () => {
  const {
    added: [first],
  } = await addAll(1)
  const {
    added: [second],
  } = await addAll(2)
  ends[0]!()
  await first
  let isDone = false
  void second!.then(() => (isDone = true))
  await turn()
  expect(isDone).toBe(false)
  ends[1]!()
  await second
})

describe('if it is patient', () => {
  let patience: Patience
  beforeEach(() => {
    patience = { quietMs: 20, waitMs: 50 }
    ;({ add, finish } = gathering<number>(async (items) => void sent.push(items), {
      max: 4,
      maxBytes: 100,
      size: (item) => item,
      waitMs: 0,
      patience: () => patience,
    }))
  })

  it('lets each item wait until no other comes', async () => {
    await addAll(1)
    vi.advanceTimersByTime(19)
    await addAll(2)
    vi.advanceTimersByTime(19)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(1)
    expect(sent).toEqual([[1, 2]])
  })

  it('lets none wait longer than it may while others come', async () => {
    for (const item of [1, 2, 3]) {
      await addAll(item)
      vi.advanceTimersByTime(16)
    }
    expect(sent).toEqual([])
    vi.advanceTimersByTime(2)
    expect(sent).toEqual([[1, 2, 3]])
  })

  it('may become more or less patient', async () => {
    patience = { quietMs: 500, waitMs: 2_000 }
    await addAll(1)
    vi.advanceTimersByTime(400)
    expect(sent).toEqual([])
    patience = { quietMs: 20, waitMs: 500 }
    await addAll(2)
    vi.advanceTimersByTime(20)
    expect(sent).toEqual([[1, 2]])
  })

  it('sends what waits when it is told to finish, and what comes then at once', async () => {
    await addAll(1)
    const adding = add(2)
    finish()
    await adding
    await addAll(3)
    expect(sent).toEqual([[1, 2], [3]])
  })

  it('sends a full batch at once', async () => {
    await addAll(1, 2, 3, 4, 5)
    expect(sent).toEqual([[1, 2, 3, 4]])
    vi.advanceTimersByTime(20)
    expect(sent).toEqual([[1, 2, 3, 4], [5]])
  })
})
