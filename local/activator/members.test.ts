import { describe, expect, it } from 'vitest'
import { leastLoaded, mostDispensable } from './members.ts'

const member = (
  name: string,
  inFlight: number,
  state: 'starting' | 'ready' | 'stopping' = 'ready',
  doubted = false,
) => ({ name, inFlight, state, doubted })

describe('the next request goes to', () => {
  it('the process with the fewest requests', () => {
    const members = [member('a', 2), member('b', 1), member('c', 3)]
    expect(leastLoaded(members, 10)?.name).toBe('b')
  })

  it('no process that is full, starting or stopping, or that may have ended', () => {
    const members = [
      member('full', 10),
      member('starting', 0, 'starting'),
      member('stopping', 0, 'stopping'),
      member('doubted', 0, 'ready', true),
    ]
    expect(leastLoaded(members, 10)).toBeUndefined()
    expect(leastLoaded([...members, member('free', 9)], 10)?.name).toBe('free')
  })

  it('any process, if there is no limit', () => {
    expect(leastLoaded([member('a', 1_000)], Infinity)?.name).toBe('a')
  })
})

describe('the process to stop is', () => {
  it('one that is still starting', () => {
    const members = [member('idle', 0), member('starting', 0, 'starting'), member('busy', 5)]
    expect(mostDispensable(members)?.name).toBe('starting')
  })

  it('otherwise the one with the fewest requests', () => {
    expect(mostDispensable([member('a', 2), member('b', 1), member('c', 3)])?.name).toBe('b')
  })

  it('the newest among equals', () => {
    expect(mostDispensable([member('old', 1), member('young', 1)])?.name).toBe('young')
  })

  it('none that is already being stopped', () => {
    expect(mostDispensable([member('a', 0, 'stopping')])).toBeUndefined()
  })
})
