import * as z from 'zod'
import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Cart, tagOf, toCart } from './cart.ts'
import { cartToken, privately } from './guest.ts'
import { shopperOf } from './shopper.ts'
import { readCart } from './store.ts'

export const getCart = operation(
  'get-cart',
  {
    request: { query: z.strictObject({}) },
    requestHeaders: cartToken,
    responses: { 200: Cart },
    headers: ['ETag'],
  },
  async (call, deps) => {
    const { id, headers } = await shopperOf(call, deps)
    const { cart, products } = await readCart(deps, id)
    const shown = toCart(cart, products)
    return call.json(shown, 200, { ...headers, ...privately, ETag: etag(tagOf(shown)) })
  },
)
