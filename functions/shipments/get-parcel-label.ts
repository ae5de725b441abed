import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { labelOf } from './label.ts'
import { ParcelParam } from './parcel-param.ts'
import { problems } from './problems.ts'
import { Pdf } from './pdf-schema.ts'
import { findParcel } from './store.ts'

/** Makes the label of a parcel, to the address that the order has now. */
export const getParcelLabel = operation(
  'get-parcel-label',
  {
    request: { params: ParcelParam },
    responses: { 200: Pdf },
    problems: ['not-found', problems['wrong-parcel-status'], problems['address-forgotten']],
    contentType: 'application/pdf',
  },
  async ({ params, hono }, { db, readAddress }) => {
    const { id } = params
    const parcel = await findParcel(db, params)
    if (parcel.status !== 'packed' && parcel.status !== 'shipped')
      throw new Problem(problems['wrong-parcel-status'], {
        detail: `The parcel is ${parcel.status}: it needs no label.`,
      })
    const to = await readAddress(id, hono.req.header('authorization') ?? '')
    if (to === null)
      throw new Problem(problems['address-forgotten'], {
        detail: 'It was forgotten when the customer was deleted.',
      })
    const { number, carrier, trackingNumber, packed } = parcel
    const pieces = packed.reduce((sum, { quantity }) => sum + quantity, 0)
    const label = { orderId: id, parcelId: parcel.id, number, carrier, trackingNumber, to, pieces }
    return hono.body(await labelOf(label), 200, {
      'content-type': 'application/pdf',
      'content-disposition': `inline; filename="parcel-${parcel.id}.pdf"`,
      // it has an address
      'cache-control': 'no-store',
    })
  },
)
