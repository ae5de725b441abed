/**
 * What becomes of a coupon that was redeemed for an order. Everything here is pure.
 *
 *   held ──► confirmed ──► returned
 *     ├──────────────────────▲
 *     └──► expired ──► confirmed, if the order was placed after all, and this is heard late
 */

export const redemptionStates = ['held', 'confirmed', 'returned', 'expired'] as const
export type RedemptionState = (typeof redemptionStates)[number]

/** `place`, `cancel`: the order is placed or cancelled; `expire`: it was not heard of in time. */
export type RedemptionEvent = 'place' | 'cancel' | 'expire'

const transitions: Record<RedemptionState, Partial<Record<RedemptionEvent, RedemptionState>>> = {
  held: { place: 'confirmed', cancel: 'returned', expire: 'expired' },
  confirmed: { cancel: 'returned' },
  // that it was placed may be heard after that it was cancelled
  returned: {},
  expired: { place: 'confirmed', cancel: 'returned' },
}

/** Returns the state after an event, or undefined if nothing changes. */
export const next = (state: RedemptionState, event: RedemptionEvent): RedemptionState | undefined =>
  transitions[state][event]

/** Whether a redemption counts against the limits of its coupon. */
export const counts = (state: RedemptionState) => state === 'held' || state === 'confirmed'
export const counted = redemptionStates.filter(counts)
