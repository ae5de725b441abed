import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { cartToken } from './guest.ts'
import { problems } from './problems.ts'
import { shopperOf } from './shopper.ts'
import { changeLines } from './store.ts'

export const clearCart = operation(
  'clear-cart',
  {
    request: { query: z.strictObject({}) },
    requestHeaders: cartToken,
    responses: { 204: null },
    problems: ['stale-version', problems['cross-site-request']],
  },
  async (call, deps) => changeLines(call, deps, await shopperOf(call, deps), () => []),
)
