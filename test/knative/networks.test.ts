import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Client } from '../../demo/client/client.ts'
import { readStock } from '../../demo/client/stock.ts'
import { kubectl } from '../../knative/kubectl.ts'
import { secrets } from '../../knative/secrets.ts'
import type { TestClient } from '../client.ts'
import { reachScript } from '../reach.ts'
import { namespace, openShop, podsOf } from './shop.ts'

const ports = { postgres: 5432, pgbouncer: 5432, mongodb: 27017, nats: 4222, 'payment-sandbox': 80 }
const all = Object.keys(ports) as (keyof typeof ports)[]

let client: TestClient
beforeAll(async () => {
  client = await openShop()
})

/** Returns the stores that a function's pod can reach. */
async function reached(name: string, container: string): Promise<string[]> {
  const script = reachScript(all.map((host) => [host, ports[host]]))
  const [pod] = await podsOf(name)
  const exec = ['exec', '-n', namespace, pod!.metadata.name, '-c', container]
  return JSON.parse(await kubectl([...exec, '--', '/nodejs/bin/node', '-e', script])) as string[]
}

describe('a pod reaches', () => {
  it.each([
    ['list-products', (who: Client) => who.GET('/products'), ['mongodb']],
    ['get-stock', (who: Client) => readStock(who, 'MUG-BLUE'), ['pgbouncer']],
    [
      'watch-order',
      (who: Client) =>
        who.GET('/orders/{id}/events', {
          params: { path: { id: '01a21892-0fe8-70e4-965a-ba5c5d0a7220' } },
          parseAs: 'text',
        }),
      ['postgres', 'pgbouncer'],
    ],
    // the function itself refuses it without a token
    ['list-payments', (who: Client) => who.GET('/payments'), ['pgbouncer', 'payment-sandbox']],
  ] as const)(
    '%s: the store of its domain and the other services that the design allows',
    async (name, wake, stores) => {
      const wakeAndLook = async () => {
        await wake(client.unchecked)
        return reached(name, 'user-container')
      }
      // retried if the pod that responded was about to stop
      expect(await vi.waitFor(wakeAndLook, { timeout: 60_000, interval: 1_000 })).toEqual(stores)
    },
  )

  it.each([
    ['relay', ['postgres', 'mongodb', 'nats']],
    ['dispatcher', ['pgbouncer', 'nats']],
  ] as const)('%s: the stores that it moves events between', async (name, stores) => {
    expect(await reached(name, name)).toEqual(stores)
  })
})

describe('a secret', () => {
  const holders = (file: string) => Object.keys(secrets).filter((name) => secrets[name]!.includes(file))

  it('of a store’s administrator is mounted only by the migration and the store', () => {
    expect(holders('admin-database-url')).toEqual(['migrate'])
    expect(holders('postgres-password')).toEqual(['postgres'])
    expect(holders('jwt-private-key')).toEqual(['users'])
  })

  it('of the pooler is mounted only by the pooler and by the migration, which creates its role', () => {
    expect(holders('pgbouncer-users')).toEqual(['pgbouncer'])
    expect(holders('pgbouncer-password')).toEqual(['migrate'])
  })
})
