import { expect, it } from 'vitest'
import { endedIn } from './ended-sessions.ts'

/** A list that counts how often it is read, and a clock. */
function given(...ended: string[]) {
  const state = { ended, reads: 0, time: 0, isDown: false }
  const read = async () => {
    state.reads++
    if (state.isDown) throw new Error('no store')
    return [...state.ended]
  }
  return { state, isSessionEnded: endedIn(read, () => state.time) }
}

it('knows the sessions that have ended', async () => {
  const { isSessionEnded } = given('a', 'b')
  expect(await Promise.all(['a', 'b', 'c'].map(isSessionEnded))).toEqual([true, true, false])
})

it('reads the list once a second, however many requests there are', async () => {
  const { state, isSessionEnded } = given('a')
  await Promise.all(Array.from({ length: 50 }, () => isSessionEnded('b')))
  state.time = 1_000
  await isSessionEnded('b')
  expect(state.reads).toBe(1)
  state.ended.push('b')
  state.time = 1_001
  expect(await Promise.all([isSessionEnded('b'), isSessionEnded('b')])).toEqual([true, true])
  expect(state.reads).toBe(2)
})

it('accepts no token while the list cannot be read, and reads it again at once', async () => {
  const { state, isSessionEnded } = given()
  state.isDown = true
  await expect(isSessionEnded('a')).rejects.toThrow('no store')
  state.isDown = false
  expect(await isSessionEnded('a')).toBe(false)
})
