import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Person } from '../../demo/client/shop.ts'
import { readStock, receiveStock } from '../../demo/client/stock.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { get, kubectl } from '../../knative/kubectl.ts'
import type { TestClient } from '../client.ts'
import { customersWhoRetry } from '../load.ts'
import { namespace, openShop, podsOf } from './shop.ts'

const sku = 'PART-PADS'

let client: TestClient
let customers: Person[]
beforeAll(async () => {
  client = await openShop()
  customers = await Promise.all(Array.from({ length: 4 }, () => client.unchecked.register()))
  await receiveStock(await client.staff(), sku, 100_000)
})

const stock = () => readStock(client, sku)

/** Places orders while `fault` happens. Resolves once all accepted orders are confirmed. */
async function orderDuring(fault: () => Promise<unknown>) {
  const before = await stock()
  const load = customersWhoRetry(customers, sku)
  await expect.poll(() => load.accepted.length, { timeout: 60_000 }).toBeGreaterThan(20)
  await fault()
  const then = load.accepted.length
  await expect.poll(() => load.accepted.length, { timeout: 120_000 }).toBeGreaterThan(then + 20)
  const { accepted } = await load.stop()
  for (const { customer, order } of accepted) await waitForEntries(customer, order.id, 'order.confirmed')
  const { available, reserved } = await stock()
  return {
    accepted: accepted.length,
    taken: before.available - available,
    reserved: reserved - before.reserved,
  }
}

const stateful = 'postgres,mongodb,nats,payment-sandbox'

/** Evicts a pod, as draining its node does. Retries while a disruption budget forbids it. */
async function evict(name: string): Promise<void> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
  for (let tries = 0; tries < 60; tries++)
    try {
      await kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction))
      return
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      if (error.message.includes('NotFound')) return
      if (!error.message.includes('disruption budget')) throw error
      await pause(1_000)
    }
  throw new Error(`${name} could not be evicted`)
}

describe('every accepted order is confirmed, once, when', () => {
  it.each(['create-order', 'reserve-stock', 'dispatcher', 'relay', 'gateway', 'pgbouncer'])(
    'a pod of %s is killed',
    { timeout: 300_000 },
    async (name) => {
      const { accepted, taken, reserved } = await orderDuring(async () => {
        const [pod] = await podsOf(name)
        const kill = ['delete', 'pod', pod!.metadata.name, '--grace-period=0', '--force']
        await kubectl([...kill, '-n', namespace])
      })
      expect({ taken, reserved }).toEqual({ taken: accepted, reserved: accepted })
    },
  )

  it('all pods except those of the stores are evicted from their nodes', { timeout: 400_000 }, async () => {
    const selector = `app.kubernetes.io/part-of=zeroshop,app.kubernetes.io/name notin (${stateful})`
    const { accepted, taken, reserved } = await orderDuring(async () => {
      const { items } = await get<{ items: { metadata: { name: string } }[] }>([
        ...`pods -n ${namespace} --field-selector status.phase=Running -l`.split(' '),
        selector,
      ])
      for (const { metadata } of items) await evict(metadata.name)
    })
    expect({ taken, reserved }).toEqual({ taken: accepted, reserved: accepted })
  })
})
