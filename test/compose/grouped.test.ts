import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

describe('a container for each domain', () => {
  it('is all that runs in addition to the platform', async () => {
    const services = (await grouped.compose('ps', '--services')).trim().split('\n').toSorted()
    const platform = ['dispatcher', 'gateway', 'maildev', 'mongodb', 'nats', 'payment-sandbox', 'pgbouncer']
    expect(services).toEqual([...platform, 'postgres', 'relay', ...Object.keys(domains)].toSorted())
  })

  describeSaga(() => client)
})
