import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expecting, newOrder, readPrices, type Prices } from '../../demo/client/orders.ts'
import type { Person } from '../../demo/client/shop.ts'
import { receiveStock } from '../../demo/client/stock.ts'
import { dockerSays } from '../../images/docker.ts'
import { imagesOf } from '../../knative/cluster.ts'
import { get, kubectl } from '../../knative/kubectl.ts'
import type { TestClient } from '../client.ts'
import { steadyLoad } from '../load.ts'
import { buildNextVersion, nextTag } from '../next-version.ts'
import { namespace, openShop, readyPods } from './shop.ts'

const sku = 'PART-CHAIN-11'

let client: TestClient
let customer: Person
let others: Person[]
let turn = 0
let prices: Prices
let order: string
/** The names of the next version's images in the cluster. */
let next: Record<'migrate' | 'create-order', string>
beforeAll(async () => {
  client = await openShop()
  customer = await client.unchecked.register()
  await receiveStock(await client.staff(), sku, 100_000)
  prices = await readPrices(customer, [sku])
  others = await Promise.all(Array.from({ length: 5 }, () => client.unchecked.register()))
  const body = expecting(newOrder([{ sku, quantity: 1 }]), prices)
  order = (await customer.POST('/orders', { body })).data!.id
  buildNextVersion('migrate', 'create-order')
  const images = await imagesOf(undefined)
  const named = async (name: string) => {
    const full = images.name(`zeroshop/${name}`, nextTag)
    await dockerSays(['tag', `zeroshop/${name}:${nextTag}`, full])
    return full
  }
  next = { migrate: await named('migrate'), 'create-order': await named('create-order') }
  await images.load(Object.values(next))
}, 600_000)
afterAll(() => kubectl(['delete', 'jobs', '-n', namespace, '-l', 'zeroshop.dev/test=rollout']))

/** Places an order. Each of the customers has few that are not paid yet. */
const placeOrder = () => {
  const who = others[++turn % others.length]!
  return who.POST('/orders', { body: expecting(newOrder([{ sku, quantity: 1 }]), prices) })
}

interface Job {
  metadata: { name: string }
  spec: {
    template: { metadata: { labels: Record<string, string> }; spec: { containers: [{ image: string }] } }
  }
  status?: { succeeded?: number }
}

/** Runs the migration job again, with its own or another image, and waits until it has succeeded. */
async function migrate(name: string, image?: string): Promise<void> {
  const job = await get<Job>(['job', 'migrate', '-n', namespace])
  const { template } = job.spec
  const labels = Object.fromEntries(
    Object.entries(template.metadata.labels).filter(([label]) => label.startsWith('app.kubernetes.io/')),
  )
  if (image !== undefined) template.spec.containers[0].image = image
  const again = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels: { 'zeroshop.dev/test': 'rollout' } },
    spec: { backoffLimit: 4, template: { ...template, metadata: { labels } } },
  }
  await kubectl(['create', '-f', '-'], JSON.stringify(again))
  const succeeded = async () => (await get<Job>(['job', name, '-n', namespace])).status?.succeeded
  await expect.poll(succeeded, { timeout: 200_000, interval: 1_000 }).toBe(1)
}

interface Service {
  spec: { template: { spec: { containers: [{ image: string }] } } }
  status: { latestReadyRevisionName: string; latestCreatedRevisionName: string }
}
const createOrder = () => get<Service>(['services.serving.knative.dev', 'create-order', '-n', namespace])

/** Sets the image of create-order, and waits until the new revision gets the requests. */
async function roll(image: string): Promise<void> {
  const { latestReadyRevisionName: before } = (await createOrder()).status
  const patch = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: image }]
  await kubectl(
    `patch services.serving.knative.dev create-order -n ${namespace} --type json -p`
      .split(' ')
      .concat(JSON.stringify(patch)),
  )
  const ready = async () => (await createOrder()).status.latestReadyRevisionName
  await expect.poll(ready, { timeout: 200_000, interval: 1_000 }).not.toBe(before)
}

/** Waits until get-order has no pods, then reads an order. */
async function readFromZero(): Promise<void> {
  await expect.poll(() => readyPods('get-order'), { timeout: 200_000, interval: 1_000 }).toBe(0)
  const { response } = await customer.GET('/orders/{id}', { params: { path: { id: order } } })
  expect(response.status).toBe(200)
}

describe('a version with one more migration', () => {
  it(
    'is rolled out, and rolled back without a backup, while functions start from zero and no request fails',
    { timeout: 900_000 },
    async () => {
      const load = steadyLoad(placeOrder, { atOnce: 2 })
      const some = async () => {
        const before = load.count()
        await expect.poll(load.count, { timeout: 120_000 }).toBeGreaterThan(before + 20)
      }
      await some()
      const current = (await createOrder()).spec.template.spec.containers[0].image
      await migrate('migrate-next', next.migrate)
      await readFromZero()
      await roll(next['create-order'])
      await some()
      await roll(current)
      await migrate('migrate-back')
      await readFromZero()
      await some()
      expect(Object.keys(await load.stop())).toEqual(['201'])
    },
  )
})
