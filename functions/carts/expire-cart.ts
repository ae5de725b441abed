import { reaction } from '../../events/reaction.ts'
import { deadlineAfter, hasExpired } from './cart.ts'

/** Deletes a cart, or sets the next deadline of one that has changed since this one was set. */
export const expireCart = reaction('expire-cart', async ({ data }, { carts }) => {
  const { ownerId, deadlineId } = data
  const isDue = { _id: ownerId, deadlineId }
  for (;;) {
    const cart = await carts.findOne(isDue, { projection: { updatedAt: 1, version: 1 } })
    // the event was handled before, or the cart is gone
    if (cart === null) return
    const same = { ...isDue, version: cart.version }
    if (hasExpired(cart, new Date())) {
      if ((await carts.deleteOne(same)).deletedCount === 1) return
    } else {
      const next = deadlineAfter(ownerId, cart.updatedAt)
      const change = { $set: { deadlineId: next.data.deadlineId }, $push: { outbox: next.event } }
      if ((await carts.updateOne(same, change)).matchedCount === 1) return
    }
  }
})
