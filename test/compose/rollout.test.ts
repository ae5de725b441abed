import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerSays } from '../../images/docker.ts'
import { expecting, newOrder, readPrices, type Prices } from '../../demo/client/orders.ts'
import type { Person } from '../../demo/client/shop.ts'
import { receiveStock } from '../../demo/client/stock.ts'
import type { TestClient } from '../client.ts'
import { steadyLoad } from '../load.ts'
import { buildNextVersion, nextTag } from '../next-version.ts'
import { shop } from './shop.ts'

const sku = 'PART-CHAIN-11'

let client: TestClient
let customer: Person
let prices: Prices
beforeAll(async () => {
  client = await shop.client()
  customer = await client.unchecked.register()
  await receiveStock(await client.staff(), sku, 100_000)
  prices = await readPrices(customer, [sku])
})

const placeOrder = () =>
  customer.POST('/orders', { body: expecting(newOrder([{ sku, quantity: 1 }]), prices) })
const readProducts = () => client.unchecked.GET('/products', { params: { query: { limit: 3 } } })

describe('a second version of a function', () => {
  const images = ['create-order', 'list-products'].map((name) => `zeroshop/${name}`)
  beforeAll(() => {
    // another image with the same content
    for (const image of images)
      execFileSync('docker', ['build', '--quiet', '--tag', `${image}:v2`, '-'], {
        input: `FROM ${image}:latest\nLABEL version=2\n`,
      })
  })
  afterAll(() => dockerSays(['image', 'rm', ...images.map((image) => `${image}:v2`)]))

  it.each([
    ['create-order', placeOrder, 201],
    ['list-products', readProducts, 200],
  ] as const)('of %s is rolled out and back without a failed request', async (service, request, good) => {
    const load = steadyLoad(request)
    await expect.poll(load.count, { timeout: 30_000 }).toBeGreaterThan(50)
    for (const tag of ['v2', 'latest']) {
      const before = load.count()
      await dockerSays(
        [...'compose -f compose/compose.yaml up --detach --wait --no-build --no-deps'.split(' '), service],
        { ...shop.environment, TAG: tag },
      )
      const [image] = JSON.parse(await dockerSays(['image', 'inspect', `zeroshop/${service}:${tag}`])) as [
        { Id: string },
      ]
      expect((await shop.container(service)).Image).toBe(image.Id)
      await expect.poll(load.count, { timeout: 30_000 }).toBeGreaterThan(before + 50)
    }
    const statuses = await load.stop()
    expect(Object.keys(statuses)).toEqual([String(good)])
  })
})

describe('a version with one more migration', () => {
  const services = ['create-order', 'get-order']
  beforeAll(() => buildNextVersion('migrate', ...services), 300_000)
  afterAll(() =>
    dockerSays(['image', 'rm', ...['migrate', ...services].map((name) => `zeroshop/${name}:${nextTag}`)]),
  )

  const compose = (tag: string, command: string, ...more: string[]) =>
    dockerSays([...`compose -f compose/compose.yaml ${command}`.split(' '), ...more], {
      ...shop.environment,
      TAG: tag,
    })
  const migrate = (tag: string) => compose(tag, 'run --rm --no-deps migrate')
  const roll = (tag: string) => compose(tag, 'up --detach --wait --no-build --no-deps', ...services)

  it('is rolled out, and rolled back without a backup, while no request fails', async () => {
    const { id } = (await placeOrder()).data!
    const loads = [
      steadyLoad(placeOrder),
      steadyLoad(() => customer.GET('/orders/{id}', { params: { path: { id } } })),
    ]
    const some = async () => {
      for (const { count } of loads) {
        const before = count()
        await expect.poll(count, { timeout: 60_000 }).toBeGreaterThan(before + 50)
      }
    }
    await some()
    await migrate(nextTag)
    // functions of the previous version start on the migrated store
    await shop.compose('restart', ...services)
    await some()
    await roll(nextTag)
    await some()
    await roll('latest')
    await migrate('latest')
    await shop.compose('restart', ...services)
    await some()
    expect(await Promise.all(loads.map(async (load) => Object.keys(await load.stop())))).toEqual([
      ['201'],
      ['200'],
    ])
  }, 400_000)
})

describe('a function that gets SIGTERM', () => {
  it('finishes its requests within 10 s, and later requests wait for its restart', async () => {
    const load = steadyLoad(placeOrder)
    await expect.poll(load.count, { timeout: 30_000 }).toBeGreaterThan(50)
    const began = performance.now()
    await shop.compose('stop', 'create-order')
    expect(performance.now() - began).toBeLessThan(10_000)
    expect((await shop.container('create-order')).State.ExitCode).toBe(0)
    await shop.compose('start', 'create-order')
    const then = load.count()
    await expect.poll(load.count, { timeout: 30_000 }).toBeGreaterThan(then + 50)
    expect(Object.keys(await load.stop())).toEqual(['201'])
  })
})

describe('three containers of a function', () => {
  afterAll(() => shop.up('--no-deps', '--scale', 'create-order=1', 'create-order'))

  it('share its requests', async () => {
    await shop.up('--no-deps', '--no-recreate', '--scale', 'create-order=3', 'create-order')
    const containers = await shop.containers('create-order')
    expect(containers).toHaveLength(3)
    const received = () =>
      Promise.all(
        containers.map(async (container) => {
          const table = await shop.inside(
            container,
            "process.stdout.write(require('node:fs').readFileSync('/proc/net/dev', 'utf8'))",
          )
          const counts = [...table.matchAll(/eth\d+:\s*(\d+)/g)].map(([, bytes]) => Number(bytes))
          return counts.reduce((sum, bytes) => sum + bytes, 0)
        }),
      )
    const before = await received()
    const load = steadyLoad(placeOrder, { atOnce: 12 })
    await expect.poll(load.count, { timeout: 60_000 }).toBeGreaterThan(600)
    expect(Object.keys(await load.stop())).toEqual(['201'])
    const after = await received()
    const shares = after.map((bytes, n) => bytes - before[n]!)
    const sum = shares.reduce((total, share) => total + share, 0)
    for (const share of shares) expect(share / sum).toBeGreaterThan(0.15)
  })
})
