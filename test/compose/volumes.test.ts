import { beforeAll, expect, it } from 'vitest'
import { good } from '../../demo/client/good.ts'
import { paymentOf, placeOrder, readOrder, shipOrder } from '../../demo/client/orders.ts'
import { readStock } from '../../demo/client/stock.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import { dockerSays } from '../../images/docker.ts'
import type { TestClient } from '../client.ts'
import { shop } from './shop.ts'

let client: TestClient
beforeAll(async () => {
  client = await shop.client()
})

it('keeps all data when the shop is taken down and started again', async () => {
  const customer = await client.register()
  const { id } = await placeOrder(customer, [{ sku: 'MUG-TRAVEL', quantity: 1 }])
  await waitForEntries(customer, id, 'order.confirmed')
  const read = () =>
    Promise.all([
      readOrder(customer, id),
      paymentOf(customer, id),
      readStock(client, 'MUG-TRAVEL'),
      good(client.GET('/products', { params: { query: { sku: 'MUG-TRAVEL' } } })),
    ])
  const before = await read()
  await shop.compose('down')
  await shop.up()
  expect(await read()).toEqual(before)
  // the saga of the order continues
  await shipOrder(await client.staff(), id)
  await waitForEntries(customer, id, 'stock.committed')
})

it('gives volumes that belong to root, as in earlier versions, to their users, and keeps what is in them', async () => {
  const monitor = 'exec -T nats wget -qO- http://127.0.0.1:8222/jsz?streams=true'
  const read = async () => {
    // printed by NATS
    const { account_details: accounts } = JSON.parse(await shop.compose(...monitor.split(' '))) as {
      account_details: { stream_detail: { name: string; created: string; state: { last_seq: number } }[] }[]
    }
    return {
      authority: await shop.rootCertificate(),
      streams: accounts.flatMap(({ stream_detail: streams }) =>
        streams.map(({ name, created, state }) => ({ name, created, isEmpty: state.last_seq === 0 })),
      ),
    }
  }
  const before = await read()
  expect(before.streams).toMatchObject([{ name: 'zeroshop', isEmpty: false }])
  await shop.compose('rm', '--stop', '--force', 'gateway', 'nats', 'prepare-volumes')
  const volumes = ['gateway', 'nats'].flatMap((name) => ['-v', `zeroshop-test_${name}:/volumes/${name}`])
  const options = '--rm --user 0 --network none --entrypoint chown'.split(' ')
  await dockerSays(['run', ...options, ...volumes, 'nats:2.12-alpine', '-R', '0:0', '/volumes'])
  await shop.up()
  expect(await read()).toEqual(before)
  const customer = await client.register()
  const { id } = await placeOrder(customer, [{ sku: 'MUG-TRAVEL', quantity: 1 }])
  await waitForEntries(customer, id, 'order.confirmed')
})

it('lets no container run as root or with capabilities', async () => {
  const services = (await shop.compose('ps', '--services')).trim().split('\n')
  const containers = (await Promise.all(services.map(shop.containers))).flat()
  const pids = containers.map(({ State }) => State.Pid)
  // from a container that sees the host's processes
  const options = '--pid host --network none --entrypoint grep nats:2.12-alpine'.split(' ')
  const statuses = await dockerSays([
    'run',
    '--rm',
    ...options,
    '-hE',
    '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs):',
    ...pids.map((pid) => `/proc/${pid}/status`),
  ])
  const lines = statuses.trim().split('\n')
  for (const [n, { Name }] of containers.entries()) {
    const status = lines.slice(5 * n, 5 * n + 5).map((line) => line.split('\t'))
    const [[, uid], ...rest] = status as [string[], ...string[][]]
    expect({ Name, uid: Number(uid), rest: rest.map(([, value]) => Number(`0x${value}`)) }).toEqual({
      Name,
      uid: expect.toSatisfy((uid: number) => uid > 0) as number,
      // no capabilities, and no way to get any
      rest: [0, 0, 0, 1],
    })
  }
})
