import * as z from 'zod'

/** Shapes that the events of several domains share. Money is in minor units. */

export const eventId = z.uuid().toLowerCase()
export const eventMoney = z.strictObject({ amount: z.int().min(0), currency: z.string().length(3) })
/** In upper case; events of earlier versions may have it in another. */
export const eventSku = z.string().min(1).max(64).toUpperCase()
export const ofOrder = z.strictObject({ orderId: eventId })

/** In events from before card tokens were kept apart from events. No event is emitted with one. */
export const oldCardToken = z.string().exactOptional().meta({ deprecated: true })
