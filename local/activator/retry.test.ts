import { describe, expect, it } from 'vitest'
import { afterExchange } from './retry.ts'

const fresh = { retries: 0, suspect: false }

describe('a request', () => {
  it.each(['done', 'cut'] as const)('that is %s is over', (outcome) => {
    expect(afterExchange(outcome, fresh, false)).toBe('over')
  })

  it('without an answer in time is answered with 504, and not sent again', () => {
    expect(afterExchange('late', fresh, false)).toBe('gateway-timeout')
  })

  it('that may have been processed is answered with 502, and not sent again', () => {
    expect(afterExchange('failed', fresh, false)).toBe('bad-gateway')
  })

  it.each(['refused', 'unsent', 'unanswered'] as const)('that was %s is sent again', (outcome) => {
    expect(afterExchange(outcome, fresh, false)).toBe('retry')
  })

  it('is not sent again forever', () => {
    expect(afterExchange('unsent', { ...fresh, retries: 2 }, false)).toBe('retry')
    expect(afterExchange('unsent', { ...fresh, retries: 3 }, false)).toBe('bad-gateway')
  })

  it('that may have killed a process gets one more, and only one', () => {
    const suspect = { retries: 1, suspect: true }
    expect(afterExchange('unanswered', suspect, false)).toBe('bad-gateway')
    expect(afterExchange('unsent', suspect, false)).toBe('retry')
  })

  it('is not sent again while the pool shuts down', () => {
    expect(afterExchange('unsent', fresh, true)).toBe('shutting-down')
    expect(afterExchange('failed', fresh, true)).toBe('bad-gateway')
  })
})
