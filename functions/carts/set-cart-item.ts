import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { Cart, CartItem, maxLines, SkuParam, tagOf, toCart, withLine, type Line } from './cart.ts'
import { cartToken } from './guest.ts'
import { readNew } from './prices.ts'
import { problems } from './problems.ts'
import { ownerOf, shopperOf } from './shopper.ts'
import { checkSeen, noItem, readCart, wantedBy, writeCart } from './store.ts'

export const setCartItem = operation(
  'set-cart-item',
  {
    request: { params: SkuParam, body: CartItem },
    requestHeaders: cartToken,
    responses: { 200: Cart },
    problems: [
      'not-found',
      'stale-version',
      problems['cross-site-request'],
      problems['cart-full'],
      problems['cart-mixes-currencies'],
    ],
    headers: ['ETag'],
  },
  async (call, deps) => {
    const { params, body, hono, json } = call
    const { sku } = params
    const wanted = wantedBy(hono)
    const shopper = await shopperOf(call, deps)
    let owner = ownerOf(shopper, hono, deps.guests)
    for (;;) {
      const found = await readCart(deps, owner.ownerId, [sku])
      if (found.isClosed) {
        owner = ownerOf({ ...shopper, id: undefined }, hono, deps.guests)
        continue
      }
      const product = found.products.get(sku) ?? (await readNew(deps.products, deps.readProduct, sku))
      if (product === undefined || product.isGone) throw noItem()
      checkSeen(wanted, found)
      const lines = linesWith(found.cart?.lines ?? [], { sku, ...body, price: product.price })
      const cart = await writeCart(deps.carts, owner.ownerId, found.cart, { lines })
      // if it was changed meanwhile, the change is applied to what is there now
      if (cart === undefined) continue
      const shown = toCart(cart, new Map([...found.products, [sku, product]]))
      return json(shown, 200, { ...owner.headers, ETag: etag(tagOf(shown)) })
    }
  },
)

/** @throws Problem 409 if there would be too many lines, 422 if the product has another currency */
function linesWith(lines: readonly Line[], line: Line): Line[] {
  const { currency } = line.price
  const other = lines.find(({ sku, price }) => sku !== line.sku && price.currency !== currency)
  if (other !== undefined)
    throw new Problem(problems['cart-mixes-currencies'], {
      detail: `${line.sku} costs ${currency}, and what is in the cart ${other.price.currency}. Order that first, or take it out.`,
    })
  const changed = withLine(lines, line)
  if (changed !== undefined) return changed
  throw new Problem(problems['cart-full'], {
    detail: `A cart has at most ${maxLines} products. Order these first, or take one out.`,
  })
}
