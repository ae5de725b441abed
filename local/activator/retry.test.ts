import { describe, expect, it } from 'vitest'
import { afterExchange } from './retry.ts'

const fresh = { retries: 0, suspect: false }

describe('a request', () => {
  it.each(['done', 'cut'] as const)('that is %s is over', (outcome) => {
    expect(afterExchange(outcome, fresh, false)).toBe('over')
  })

  it('that got no answer in time is answered with 504, not retried', () => {
    expect(afterExchange('late', fresh, false)).toBe('gateway-timeout')
  })

  it('that may have been processed is answered with 502, not retried', () => {
    expect(afterExchange('failed', fresh, false)).toBe('bad-gateway')
  })

  it.each(['refused', 'unsent', 'unanswered'] as const)('that was %s is retried', (outcome) => {
    expect(afterExchange(outcome, fresh, false)).toBe('retry')
  })

  it('is retried at most three times', () => {
    expect(afterExchange('unsent', { ...fresh, retries: 2 }, false)).toBe('retry')
    expect(afterExchange('unsent', { ...fresh, retries: 3 }, false)).toBe('bad-gateway')
  })

  it('that may have crashed a process is retried only once', () => {
    const suspect = { retries: 1, suspect: true }
    expect(afterExchange('unanswered', suspect, false)).toBe('bad-gateway')
    expect(afterExchange('unsent', suspect, false)).toBe('retry')
  })

  it('is not retried while the pool shuts down', () => {
    expect(afterExchange('unsent', fresh, true)).toBe('shutting-down')
    expect(afterExchange('failed', fresh, true)).toBe('bad-gateway')
  })
})
