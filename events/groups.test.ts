import { expect, it, onTestFinished, vi } from 'vitest'
import { inGroups } from './groups.ts'

/** Collects the groups that run. Those that contain `x` fail. */
function collecting({ isHopeless = false, max = 64 } = {}) {
  const groups: string[][] = []
  const add = inGroups<string>(
    async (group) => {
      groups.push([...group])
      await Promise.resolve()
      if (group.includes('x')) throw new Error('x fails')
    },
    { by: (item) => item, isHopeless: () => isHopeless, max },
  )
  return { groups, add }
}

const outcomes = async (added: Promise<void>[]) =>
  (await Promise.allSettled(added)).map(({ status }) => status)

it('runs what comes at once together, sorted', async () => {
  const { groups, add } = collecting()
  await Promise.all(['c', 'a', 'b'].map(add))
  expect(groups).toEqual([['a', 'b', 'c']])
})

it('runs what comes while a group runs as the next group', async () => {
  const { groups, add } = collecting()
  const first = add('a')
  await Promise.resolve()
  await Promise.all([first, add('b'), add('c')])
  expect(groups).toEqual([['a'], ['b', 'c']])
  await add('d')
  expect(groups[2]).toEqual(['d'])
})

it('never puts two with the same key into one group', async () => {
  const { groups, add } = collecting()
  await Promise.all(['a', 'a', 'b', 'a'].map(add))
  expect(groups).toEqual([['a', 'b'], ['a'], ['a']])
})

it('bounds the size of a group', async () => {
  const { groups, add } = collecting({ max: 2 })
  await Promise.all(['a', 'b', 'c'].map(add))
  expect(groups).toEqual([['a', 'b'], ['c']])
})

it('tries each alone if the group fails, so that one bad item fails alone', async () => {
  const { groups, add } = collecting()
  expect(await outcomes(['a', 'x', 'y'].map(add))).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(groups).toEqual([['a', 'x', 'y'], ['a'], ['x'], ['y']])
})

it('tries them alone only for some seconds, and rejects the others', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const groups: string[][] = []
  const add = inGroups<string>(
    async (group) => {
      groups.push([...group])
      vi.advanceTimersByTime(3_000)
      throw new Error('a row is locked')
    },
    { by: (item) => item, isHopeless: () => false },
  )
  expect(await outcomes(['a', 'b', 'c', 'd', 'e'].map(add))).toEqual(Array(5).fill('rejected'))
  expect(groups).toEqual([['a', 'b', 'c', 'd', 'e'], ['a'], ['b'], ['c']])
})

it('does not try each alone if that is hopeless', async () => {
  const { groups, add } = collecting({ isHopeless: true })
  expect(await outcomes(['a', 'x'].map(add))).toEqual(['rejected', 'rejected'])
  expect(groups).toEqual([['a', 'x']])
})
