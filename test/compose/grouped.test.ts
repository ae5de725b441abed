import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { good } from '../../demo/client/good.ts'
import { paymentOf, placeOrder, readOrder, shipOrder } from '../../demo/client/orders.ts'
import { readStock } from '../../demo/client/stock.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import { dockerSays } from '../../images/docker.ts'
import { domains } from '../../functions/table.ts'
import type { TestClient } from '../client.ts'
import { describeSaga } from '../saga.ts'
import { composeShop } from './shop.ts'

/** The variant for small machines, which runs next to the other shop. */
const grouped = composeShop('zeroshop-grouped', 'compose.grouped.yaml', 18_190)

let client: TestClient
beforeAll(async () => {
  await grouped.start()
  client = await grouped.client()
})
afterAll(() => grouped.remove())

const productOf = async (sku: string) =>
  (await good(client.GET('/products', { params: { query: { sku } } }))).items[0]
const availability = async (sku: string) => (await productOf(sku))?.availability

describe('a container for each domain', () => {
  it('is all that runs in addition to the platform', async () => {
    const services = (await grouped.compose('ps', '--services')).trim().split('\n').toSorted()
    const platform = ['dispatcher', 'gateway', 'maildev', 'mongodb', 'nats', 'payment-sandbox', 'pgbouncer']
    expect(services).toEqual([...platform, 'postgres', 'relay', ...Object.keys(domains)].toSorted())
  })

  it('is told at the first attempt of what was emitted before it ran', async () => {
    await expect.poll(() => availability('MUG-TRAVEL'), { timeout: 30_000 }).toBe('available')
    expect(await grouped.compose('logs', 'dispatcher')).not.toContain('delivery failed')
  })

  describeSaga(() => client)
})

describe('its volumes', () => {
  it('keep all data when the shop is taken down and started again', async () => {
    const customer = await client.register()
    const { id } = await placeOrder(customer, [{ sku: 'MUG-TRAVEL', quantity: 1 }])
    await waitForEntries(customer, id, 'order.confirmed')
    const read = () =>
      Promise.all([
        readOrder(customer, id),
        paymentOf(customer, id),
        readStock(client, 'MUG-TRAVEL'),
        productOf('MUG-TRAVEL'),
      ])
    // the catalogue hears of the stock by event
    await expect.poll(() => availability('MUG-TRAVEL'), { timeout: 30_000 }).toBe('available')
    const before = await read()
    await grouped.compose('down')
    await grouped.up()
    expect(await read()).toEqual(before)
    // the saga of the order continues
    await shipOrder(await client.staff(), id)
    await waitForEntries(customer, id, 'stock.committed')
  })

  it('are given to their users if they belong to root, as in earlier versions, and keep what is in them', async () => {
    const monitor = 'exec -T nats wget -qO- http://127.0.0.1:8222/jsz?streams=true'
    const read = async () => {
      // printed by NATS
      const { account_details: accounts } = JSON.parse(await grouped.compose(...monitor.split(' '))) as {
        account_details: { stream_detail: { name: string; created: string; state: { last_seq: number } }[] }[]
      }
      return {
        authority: await grouped.rootCertificate(),
        streams: accounts.flatMap(({ stream_detail: streams }) =>
          streams.map(({ name, created, state }) => ({ name, created, isEmpty: state.last_seq === 0 })),
        ),
      }
    }
    const before = await read()
    expect(before.streams).toMatchObject([{ name: 'zeroshop', isEmpty: false }])
    await grouped.compose('rm', '--stop', '--force', 'gateway', 'nats', 'prepare-volumes')
    const volumes = ['gateway', 'nats'].flatMap((name) => ['-v', `zeroshop-grouped_${name}:/volumes/${name}`])
    const options = '--rm --user 0 --network none --entrypoint chown'.split(' ')
    await dockerSays(['run', ...options, ...volumes, 'nats:2.12-alpine', '-R', '0:0', '/volumes'])
    await grouped.up()
    expect(await read()).toEqual(before)
    const customer = await client.register()
    const { id } = await placeOrder(customer, [{ sku: 'MUG-TRAVEL', quantity: 1 }])
    await waitForEntries(customer, id, 'order.confirmed')
  })
})
