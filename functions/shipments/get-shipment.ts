import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { shipmentAnswer } from './answer.ts'
import { Shipment } from './shipment.ts'
import { readShipment } from './store.ts'

export const getShipment = operation(
  'get-shipment',
  { request: { params: IdParam }, responses: { 200: Shipment }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params, user, json }, { db }) => {
    const { shipment, headers } = await shipmentAnswer(db, await readShipment(db, params.id, user), user)
    return json(shipment, 200, headers)
  },
)
