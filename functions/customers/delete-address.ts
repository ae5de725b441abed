import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, ifMatch } from '../shared/http/entity-tag.ts'
import { addressPath, AddressParams } from './address.ts'
import { lockAddress } from './find-address.ts'
import { removeSaved } from './store.ts'

export const deleteAddress = operation(
  'delete-address',
  {
    request: { params: AddressParams },
    responses: { 204: null },
    problems: ['not-found', 'stale-version'],
  },
  async ({ params, user, empty, hono }, { db }) => {
    const { id, addressId } = params
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    await transaction(db, async (tx) => {
      checkVersion(wanted, (await lockAddress(tx, params, user)).version)
      await removeSaved(tx, 'customers.addresses', id, addressId, addressPath(id, addressId))
    })
    return empty()
  },
)
