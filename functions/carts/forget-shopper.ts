import { reaction } from '../../events/reaction.ts'

export const forgetShopper = reaction('forget-shopper', async ({ data }, { carts }) => {
  await carts.deleteOne({ _id: data.userId })
})
