import { operation } from '../shared/http/operation.ts'
import { SkuParam } from './cart.ts'
import { cartToken } from './guest.ts'
import { problems } from './problems.ts'
import { shopperOf } from './shopper.ts'
import { changeLines, noItem } from './store.ts'

export const removeCartItem = operation(
  'remove-cart-item',
  {
    request: { params: SkuParam },
    requestHeaders: cartToken,
    responses: { 204: null },
    problems: ['not-found', 'stale-version', problems['cross-site-request']],
  },
  async (call, deps) => {
    const { sku } = call.params
    const shopper = await shopperOf(call, deps)
    return changeLines(call, deps, shopper, (lines) => {
      const rest = lines.filter((line) => line.sku !== sku)
      if (rest.length === lines.length) throw noItem()
      return rest
    })
  },
)
