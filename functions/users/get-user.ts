import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { findUser } from './find-user.ts'
import { maySee, noSuchUser, toUser, User } from './user.ts'

export const getUser = operation(
  'get-user',
  { request: { params: IdParam }, responses: { 200: User }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params: { id }, user: caller, json }, { db }) => {
    if (!maySee(caller, id)) throw noSuchUser()
    const user = await findUser(db, id)
    // an account is not kept even by its owner's client
    return json(toUser(user), 200, { 'Cache-Control': 'no-store', ETag: etag(user.version) })
  },
)
