import type { Client, Schemas } from './client.ts'
import { good } from './good.ts'

const at = (id: string) => ({ params: { path: { id } } })

export const readShipment = (who: Client, id: string) => good(who.GET('/shipments/{id}', at(id)))

/** Takes an order's shipment, and packs a parcel. */
export async function packParcel(staff: Client, id: string, items: Schemas['NewParcel']['items']) {
  await good(staff.POST('/shipments/{id}/taking', at(id)))
  return good(staff.POST('/shipments/{id}/parcels', { ...at(id), body: { items } }))
}

export const shipParcel = (staff: Client, id: string, parcelId: string, body: Schemas['ParcelDispatch']) =>
  good(
    staff.POST('/shipments/{id}/parcels/{parcelId}/shipment', { params: { path: { id, parcelId } }, body }),
  )

export const deliverParcel = (staff: Client, id: string, parcelId: string) =>
  good(staff.POST('/shipments/{id}/parcels/{parcelId}/delivery', { params: { path: { id, parcelId } } }))
