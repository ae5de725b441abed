import { sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { AddressChange, AddressParams, SavedAddress, toAddress } from './address.ts'
import { addresses } from './customer.ts'
import { isAddress, lockAddress } from './find-address.ts'
import { makeDefault } from './store.ts'

export const updateAddress = operation(
  'update-address',
  {
    request: { params: AddressParams, body: AddressChange },
    responses: { 200: SavedAddress },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body: change, user, json, hono }, { db }) => {
    const wanted = ifMatch(hono)
    const changed = await transaction(db, async (tx) => {
      const { version } = await lockAddress(tx, params, user)
      checkVersion(wanted, version)
      if (change.isDefault) await makeDefault(tx, 'customers.addresses', params.id, params.addressId)
      const [row] = await tx
        .update(addresses)
        .set({ ...change, version: version + 1, updatedAt: sql`now()` })
        .where(isAddress(params))
        .returning()
      return row!
    })
    return json(toAddress(changed), 200, { ETag: etag(changed.version) })
  },
)
