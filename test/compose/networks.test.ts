import { describe, expect, it } from 'vitest'
import { dockerSays } from '../../images/docker.ts'
import { reachScript } from '../reach.ts'
import { shop } from './shop.ts'

const ports = { postgres: 5432, pgbouncer: 5432, mongodb: 27017, nats: 4222, maildev: 1025 } as Record<
  string,
  number
>

/** Returns the other services that a service can reach. */
async function reached(service: string, others: string[]): Promise<string[]> {
  const script = reachScript(others.map((host) => [host, ports[host] ?? 8080]))
  // printed by the script
  return JSON.parse(await shop.inside(await shop.container(service), script)) as string[]
}

const all = ['postgres', 'pgbouncer', 'mongodb', 'nats', 'payment-sandbox', 'maildev']

describe('a container reaches', () => {
  it.each([
    ['get-order', ['pgbouncer']],
    ['watch-order', ['postgres', 'pgbouncer']],
    ['get-product', ['mongodb']],
    ['refund-payment', ['pgbouncer', 'payment-sandbox']],
    ['reserve-stock', ['pgbouncer']],
    ['send-mail', ['pgbouncer', 'maildev']],
    ['notify-customer', ['pgbouncer']],
    ['deliver-webhook', ['pgbouncer']],
    ['authorize-payment', ['pgbouncer', 'payment-sandbox']],
    ['relay', ['postgres', 'pgbouncer', 'mongodb', 'nats']],
    ['dispatcher', ['pgbouncer', 'nats']],
    ['payment-sandbox', ['payment-sandbox']],
  ])('%s: its store and the other services that the design allows', async (service, reachable) => {
    expect(await reached(service, all)).toEqual(reachable)
  })

  it('payment-sandbox: the function that takes its webhooks, but none of another domain', async () => {
    const others = ['receive-payment-webhook', 'get-order', 'get-product', 'reserve-stock']
    expect(await reached('payment-sandbox', others)).toEqual(['receive-payment-webhook'])
  })

  it('gateway: the functions that it calls, but no store and no reaction', async () => {
    const knows = (host: string) => shop.compose(...`exec -T gateway getent hosts ${host}`.split(' '))
    for (const host of [...all, 'reserve-stock', 'confirm-order'])
      await expect(knows(host)).rejects.toThrow('Command failed')
    await expect(knows('create-order')).resolves.toContain('create-order')
  })

  it('the internet only from the gateway or through the networks of the payment provider, mails and webhooks', async () => {
    const names = (
      await dockerSays([
        'network',
        'ls',
        '--filter',
        'label=com.docker.compose.project=zeroshop-test',
        '--format',
        '{{.Name}}',
      ])
    )
      .trim()
      .split('\n')
    const networks = JSON.parse(await dockerSays(['network', 'inspect', ...names])) as {
      Name: string
      Internal: boolean
    }[]
    const open = networks.filter(({ Internal }) => !Internal).map(({ Name }) => Name)
    expect(open.toSorted()).toEqual([
      'zeroshop-test_mail',
      'zeroshop-test_provider',
      'zeroshop-test_public',
      'zeroshop-test_webhooks',
    ])
  })
})
