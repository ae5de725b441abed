import { expect, it } from 'vitest'
import { createBackoff } from './backoff.ts'

it('allows three attempts without a pause, then pauses for 1, 2, 4 … 30 s', () => {
  const backoff = createBackoff()
  const pauses = Array.from({ length: 9 }, (_, i) => {
    backoff.failed(i, i)
    return backoff.pause(i) / 1000
  })
  expect(pauses).toEqual([0, 0, 1, 2, 4, 8, 16, 30, 30])
})

it('counts processes that were started together as one failure', () => {
  const backoff = createBackoff()
  for (const now of [10, 11, 12, 13]) backoff.failed(now, 0)
  expect(backoff.failures).toBe(1)
})

it('forgets failures after a success', () => {
  const backoff = createBackoff()
  for (const now of [1, 2, 3]) backoff.failed(now, now)
  backoff.succeeded()
  expect(backoff.pause(3)).toBe(0)
  expect(backoff.failures).toBe(0)
})
