import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Client } from '../../demo/client/client.ts'
import { dockerSays } from '../../images/docker.ts'
import type { TestClient } from '../client.ts'
import { shop } from './shop.ts'

const withRedis = (...args: string[]) =>
  dockerSays(['compose', '-f', 'compose/compose.yaml', '-f', 'compose/compose.redis.yaml', ...args], {
    ...shop.environment,
    LIMITS_FACTOR: '1',
  })

let client: TestClient
let customer: Client
beforeAll(async () => {
  client = await shop.client()
  // while there are no limits
  customer = await client.register()
  const options = 'up --detach --wait --no-build --no-deps --scale register-user=2'
  await withRedis(...options.split(' '), 'redis', 'register-user')
})
afterAll(async () => {
  await withRedis('rm', '--stop', '--force', 'redis')
  await shop.up('--no-deps', 'register-user')
  await dockerSays(['network', 'rm', `${shop.environment.COMPOSE_PROJECT_NAME}_redis`])
})

/** Sends so many registrations at once. Those that pass are refused later, which saves their hashes. */
async function register(count: number, as: Client) {
  const body = { email: 'nobody', name: '', password: '' }
  const answers = await Promise.all(Array.from({ length: count }, () => as.POST('/users', { body })))
  const statuses = answers.map(({ response }) => response.status)
  return { passed: statuses.filter((status) => status === 400), refused: statuses.filter((s) => s === 429) }
}

it('counts in Redis for all containers of a function: 30 of 60 registrations from one network pass', async () => {
  const { passed, refused } = await register(60, client.unchecked)
  expect([passed.length, refused.length]).toEqual([30, 30])
  const psql = 'exec -T postgres psql -At -h /var/run/postgresql -U postgres -d zeroshop -c'
  const counts = await shop.compose(...psql.split(' '), 'select count(*) from users.request_counts')
  expect(counts.trim()).toBe('0')
})

it('lets requests through while Redis is away', async () => {
  await withRedis('stop', 'redis')
  expect((await register(40, customer)).passed).toHaveLength(40)
})
