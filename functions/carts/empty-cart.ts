import { reaction } from '../../events/reaction.ts'
import { removeOrdered } from './store.ts'

/** Finishes a checkout whose process has ended between the order and the emptying of the cart. */
export const emptyCart = reaction('empty-cart', async ({ data }, { carts }) => {
  await removeOrdered(carts, data.customerId, data)
})
