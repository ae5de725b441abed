import type { User } from '../shared/auth/access-token.ts'
import { isStaff } from '../shared/auth/access-token.ts'
import { etag } from '../shared/http/entity-tag.ts'
import type { Db } from '../shared/store/postgres.ts'
import { toShipment, type KnownShipment } from './shipment.ts'
import { parcelsOf } from './store.ts'

/** Returns a shipment as the API answers it to a user, and its headers. */
export async function shipmentAnswer(db: Db, row: KnownShipment, user: User) {
  const rows = await parcelsOf(db, [row.id])
  const shipment = toShipment(row, rows, { forStaff: isStaff(user), now: new Date() })
  return { shipment, headers: { etag: etag(row.version) } }
}
