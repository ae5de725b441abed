import { uuidv7 } from 'uuidv7'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { addressPath, NewAddress, SavedAddress, toAddress } from './address.ts'
import { addresses, idempotencyKeys, maxAddresses } from './customer.ts'
import { problems } from './problems.ts'
import { added } from './saved.ts'
import { lockCustomer, savedOf, writeDefaults } from './store.ts'

export const createAddress = operation(
  'create-address',
  {
    request: { params: IdParam, body: NewAddress },
    responses: { 201: SavedAddress },
    problems: ['not-found', problems['too-many-addresses']],
    headers: ['ETag', 'Location'],
  },
  async ({ params: { id: customerId }, body: { label, address, isDefault }, user, key, json }, { db }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      await lockCustomer(tx, customerId, user)
      const before = await savedOf(tx, 'customers.addresses', customerId)
      if (before.length >= maxAddresses)
        throw new Problem(problems['too-many-addresses'], {
          detail: `A customer has ${maxAddresses} saved addresses at most: delete one first.`,
        })
      const id = uuidv7()
      const after = added(before, { id, isDefault })
      await writeDefaults(tx, 'customers.addresses', before, after)
      const [row] = await tx
        .insert(addresses)
        .values({ id, customerId, label, address, isDefault: after.at(-1)!.isDefault })
        .returning()
      return json(toAddress(row!), 201, {
        ETag: etag(row!.version),
        Location: addressPath(customerId, id),
      })
    }),
)
