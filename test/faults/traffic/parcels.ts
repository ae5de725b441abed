import { randomUUID } from 'node:crypto'
import type { Schemas } from '../../../demo/client/client.ts'
import { at, withKey, type Scene } from './scene.ts'

type Items = Schemas['NewParcel']['items']

/** Packs and ships parcels, as staff. */
export function createParcels({ staff, insist }: Pick<Scene, 'staff' | 'insist'>) {
  const read = async (id: string) =>
    (await insist('a shipment', () => staff.GET('/shipments/{id}', at(id)))).data

  /** Packs a parcel. Returns its id, or undefined if the order does not wait, or somebody was faster. */
  async function pack(id: string, items: Items): Promise<string | undefined> {
    const params = { ...at(id).params, ...withKey() }
    const taken = await insist('a taking', () => staff.POST('/shipments/{id}/taking', at(id)))
    if (taken.data === undefined) return undefined
    const body = { items }
    return (await insist('a parcel', () => staff.POST('/shipments/{id}/parcels', { params, body }))).data?.id
  }

  /** Ships a parcel. Returns whether it was shipped, now or before. */
  async function send(id: string, parcelId: string): Promise<boolean> {
    const params = { path: { id, parcelId } }
    // repeated with the same number, it is shipped once
    const body = { carrier: 'Bike courier', trackingNumber: randomUUID() }
    const { data } = await insist('a dispatch', () =>
      staff.POST('/shipments/{id}/parcels/{parcelId}/shipment', { params, body }),
    )
    return data !== undefined
  }

  /** Ships a piece of an order. Returns false if it is not to be shipped now, or the piece is all of it. */
  async function begin(id: string): Promise<boolean> {
    const { status, lines = [] } = (await read(id)) ?? {}
    const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0)
    if (status !== 'waiting' || pieces < 2) return false
    const parcelId = await pack(id, [{ sku: lines[0]!.sku, quantity: 1 }])
    return parcelId !== undefined && send(id, parcelId)
  }

  /** Ships what is left of an order, unless it is cancelled. */
  async function finish(id: string): Promise<void> {
    const { lines = [], parcels = [] } = (await read(id)) ?? {}
    for (const { id: parcelId, status } of parcels) if (status === 'packed') await send(id, parcelId)
    const left = lines
      .map(({ sku, quantity, packed }) => ({ sku, quantity: quantity - packed }))
      .filter(({ quantity }) => quantity > 0)
    const parcelId = left.length === 0 ? undefined : await pack(id, left)
    if (parcelId !== undefined) await send(id, parcelId)
  }

  return { begin, finish }
}
