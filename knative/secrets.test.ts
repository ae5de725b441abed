import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeSecrets } from '../compose/secrets.ts'
import { temporaryFolder } from '../local/stores/temporary.ts'
import { secretObjects } from './secrets.ts'

const { folder, remove } = temporaryFolder()
const secrets = join(folder, 'secrets')
beforeAll(() => makeSecrets(secrets))
afterAll(remove)

const holders = () =>
  secretObjects('shop', secrets).flatMap(({ metadata, stringData }) =>
    'stores-ca.crt' in stringData ? [metadata.name] : [],
  )

it('gives the certificate of the stores’ authority to each pod that connects to a store, if there is one', () => {
  expect(holders()).toEqual([])
  writeFileSync(join(secrets, 'stores-ca.crt'), '-----BEGIN CERTIFICATE-----')
  expect(holders().toSorted()).toEqual([
    'carts',
    'check-books',
    'coupons',
    'customers',
    'dispatcher',
    'invoices',
    'migrate',
    'notifications',
    'orders',
    'payments',
    'products',
    'relay',
    'returns',
    'shipments',
    'stock',
    'users',
  ])
})
