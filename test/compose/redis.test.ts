import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Client } from '../../demo/client/client.ts'
import { secretsFolder } from '../../compose/secrets.ts'
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
  await withRedis('rm', '--stop', '--force', 'redis', 'redis-commander')
  await shop.up('--no-deps', 'register-user', 'gateway')
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

it('shows what is in Redis to its admin alone', async () => {
  const up = '--profile cache up --detach --wait --no-build --no-deps redis-commander gateway'
  await withRedis(...up.split(' '))
  const page = (password: string, path = '') =>
    fetch(`${shop.url}/_cache/${path}`, {
      headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` },
    })
  expect((await fetch(`${shop.url}/_cache/`)).status).toBe(401)
  expect((await page('wrong')).status).toBe(401)
  const password = readFileSync(join(secretsFolder, 'gateway-admin-password'), 'utf8').trim()
  const shown = await page(password)
  expect([shown.status, await shown.text()]).toEqual([200, expect.stringContaining('Redis Commander')])
  // the counts of the test before
  const keys = await page(password, 'apiv1/keystree/R:redis:6379:0/')
  expect(await keys.json()).toMatchObject({ data: [expect.anything()] })
})

it('lets requests through while Redis is away', async () => {
  await withRedis('stop', 'redis')
  expect((await register(40, customer)).passed).toHaveLength(40)
})
