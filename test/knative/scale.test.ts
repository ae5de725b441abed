import { beforeAll, describe, expect, it } from 'vitest'
import type { TestClient } from '../client.ts'
import { steadyLoad } from '../load.ts'
import { demoPassword, openShop, podsOf, readyPods } from './shop.ts'

let client: TestClient
beforeAll(async () => {
  client = await openShop()
})

/** The stable window of 60 s, and the time that the pods need to end. */
const toZero = { timeout: 170_000, interval: 1_000 }

describe('a function that scales on concurrency', () => {
  it('scales from zero to several pods and back without a failed request', { timeout: 600_000 }, async () => {
    await expect.poll(() => podsOf('list-products'), toZero).toHaveLength(0)
    const load = steadyLoad(() => client.unchecked.GET('/products'), { atOnce: 60 })
    await expect
      .poll(() => readyPods('list-products'), { timeout: 170_000, interval: 500 })
      .toBeGreaterThan(1)
    expect(Object.keys(await load.stop())).toEqual(['200'])
    await expect.poll(() => podsOf('list-products'), toZero).toHaveLength(0)
  })

  it.each(['register-user', 'update-user'])(
    'has no pod while %s is idle, although it hashes passwords',
    async (name) => {
      await expect.poll(() => podsOf(name), toZero).toHaveLength(0)
    },
  )
})

describe('a function that scales on CPU', () => {
  it('has one pod while it is idle, gets more under load, and goes back', { timeout: 600_000 }, async () => {
    await expect.poll(() => podsOf('log-in'), toZero).toHaveLength(1)
    const body = { email: 'customer@example.com', password: demoPassword() }
    // more than ten attempts at once for one account would be refused
    const load = steadyLoad(() => client.unchecked.POST('/sessions', { body }), { atOnce: 8 })
    await expect.poll(() => readyPods('log-in'), { timeout: 200_000, interval: 1_000 }).toBeGreaterThan(1)
    expect(Object.keys(await load.stop())).toEqual(['201'])
    await expect.poll(() => podsOf('log-in'), toZero).toHaveLength(1)
  })
})
