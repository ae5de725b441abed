import { beforeAll, describe, expect, it, vi } from 'vitest'
import { kubectl } from '../../knative/kubectl.ts'
import { secrets } from '../../knative/secrets.ts'
import type { ShopClient } from '../client.ts'
import { reachScript } from '../reach.ts'
import { namespace, openShop, podsOf } from './shop.ts'

const ports = { postgres: 5432, mongodb: 27017, nats: 4222, 'payment-sandbox': 80 }
const all = Object.keys(ports) as (keyof typeof ports)[]

let client: ShopClient
beforeAll(async () => {
  client = await openShop()
})

/** Which stores a function's pod reaches. */
async function reached(name: string, container: string): Promise<string[]> {
  const script = reachScript(all.map((host) => [host, ports[host]]))
  const [pod] = await podsOf(name)
  const exec = ['exec', '-n', namespace, pod!.metadata.name, '-c', container]
  return JSON.parse(await kubectl([...exec, '--', '/nodejs/bin/node', '-e', script])) as string[]
}

describe('a pod reaches', () => {
  it.each([
    ['list-products', '/products', ['mongodb']],
    ['get-stock', '/stock/MUG-BLUE', ['postgres']],
    ['list-payments', '/payments', ['postgres', 'payment-sandbox']],
  ] as const)('%s: the store of its domain, and what else the design lets it', async (name, path, stores) => {
    const wakeAndLook = async () => {
      await client.send(undefined, 'GET', path)
      return reached(name, 'user-container')
    }
    // again where the pod that answered was about to end, as nobody else needed it
    expect(await vi.waitFor(wakeAndLook, { timeout: 60_000, interval: 1_000 })).toEqual(stores)
  })

  it.each([
    ['relay', ['postgres', 'mongodb', 'nats']],
    ['dispatcher', ['postgres', 'nats']],
  ] as const)('%s: what it moves events between', async (name, stores) => {
    expect(await reached(name, name)).toEqual(stores)
  })
})

describe('a secret', () => {
  it('of a store’s administrator is mounted by nobody but the migration and the store', () => {
    const holders = (file: string) => Object.keys(secrets).filter((name) => secrets[name]!.includes(file))
    expect(holders('admin-database-url')).toEqual(['migrate'])
    expect(holders('postgres-password')).toEqual(['postgres'])
    expect(holders('jwt-private-key')).toEqual(['users'])
  })
})
