/**
 * What becomes of a parcel. Everything here is pure.
 *
 *   packed ──► shipped ──► delivered
 *     │           ├──────► failed
 *     │           └──────► recalled, because its order is cancelled and does not keep it
 *     └──► cancelled, because it was unpacked, or its order is cancelled or shipped as a whole
 */

export const parcelStatuses = ['packed', 'shipped', 'delivered', 'failed', 'recalled', 'cancelled'] as const
export type ParcelStatus = (typeof parcelStatuses)[number]

/** `cancel`: its order is cancelled, or was shipped as a whole. */
export type ParcelEvent = 'ship' | 'unpack' | 'deliver' | 'fail' | 'cancel'

const transitions: Record<ParcelStatus, Partial<Record<ParcelEvent, ParcelStatus>>> = {
  packed: { ship: 'shipped', unpack: 'cancelled', cancel: 'cancelled' },
  shipped: { deliver: 'delivered', fail: 'failed', cancel: 'recalled' },
  delivered: {},
  failed: {},
  recalled: {},
  cancelled: {},
}

/** Returns the status after an event, or undefined if the status does not allow the event. */
export const nextOf = (status: ParcelStatus, event: ParcelEvent): ParcelStatus | undefined =>
  transitions[status][event]

/** Whether a parcel has left the shop, whatever became of it. */
export const isOut = (status: ParcelStatus) => status !== 'packed' && status !== 'cancelled'
