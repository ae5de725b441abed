import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { AddressParams, SavedAddress, toAddress } from './address.ts'
import { notKept } from './customer.ts'
import { findAddress } from './find-address.ts'

export const getAddress = operation(
  'get-address',
  {
    request: { params: AddressParams },
    responses: { 200: SavedAddress },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, user, json }, { db }) => {
    const row = await findAddress(db, params, user)
    return json(toAddress(row), 200, { ...notKept, ETag: etag(row.version) })
  },
)
