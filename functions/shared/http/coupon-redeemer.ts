import * as z from 'zod'
import type { Config } from '../process/config.ts'
import { eventId } from '../schemas/event-shapes.ts'
import { typeBase } from './gateway-problems.ts'
import { declareProblems, Problem, unavailable } from './problems.ts'

/** Why a coupon cannot be redeemed. Orders return what the coupons domain says. */
export const couponProblems = declareProblems({
  'unknown-coupon': [422, 'The shop has no such coupon'],
  'coupon-not-valid': [422, 'The coupon is not valid now'],
  'coupon-minimum': [422, 'The order costs less than the coupon needs'],
  'coupon-not-for-these': [422, 'The coupon is not for these products'],
  'coupon-used-up': [409, 'The coupon is used up'],
})

/** The lines of an order at their prices, in minor units, and its coupons. */
export interface Basket {
  /** The Idempotency-Key with which the order is placed. A retry gets what it has redeemed before. */
  request: string
  /** The customer for whom staff order; the caller if it is not set. */
  customerId?: string
  couponCodes: readonly string[]
  currency: string
  lines: readonly { sku: string; quantity: number; unitPrice: number }[]
}

const quote = z.object({
  coupons: z.array(z.object({ code: z.string(), discounts: z.array(z.int().min(0)) })),
})
const redemption = quote.extend({ orderId: eventId })

/** What each coupon takes off each line. */
type Quote = z.infer<typeof quote>
type Redemption = z.infer<typeof redemption>

/** Calls the coupons domain with the token of its own caller. */
export interface CouponRedeemer {
  /** Returns what the coupons give. @throws Problem if one cannot be redeemed, or the coupons cannot be reached */
  quote(authorization: string, basket: Basket): Promise<Quote>
  /**
   * Redeems the coupons for an order that is about to be placed.
   * @returns also the id that the order must get
   */
  redeem(authorization: string, basket: Basket): Promise<Redemption>
}

const noCoupons = (cause: unknown) =>
  unavailable('Coupons cannot be redeemed just now: try again in a moment, or order without them.', cause)

/** @param urlOf returns the address of an operation */
export function httpCouponRedeemer(urlOf: (operation: string) => string): CouponRedeemer {
  async function call(url: string, authorization: string, body: object): Promise<unknown> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    }).catch((error: unknown) => {
      throw noCoupons(error)
    })
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.ok) return answer
    throw refusalIn(answer) ?? noCoupons(`${url} returned ${response.status}`)
  }
  return {
    quote: async (authorization, basket) =>
      quote.parse(await call(`${urlOf('quote-coupons')}/api/v1/coupon-quotes`, authorization, basket)),
    redeem: async (authorization, basket) =>
      redemption.parse(
        await call(`${urlOf('redeem-coupons')}/api/v1/coupon-redemptions`, authorization, basket),
      ),
  }
}

const refusal = z.object({
  type: z.string().startsWith(typeBase),
  detail: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
})

/** The shop's own problems that concern the caller as well. */
const passedOn = ['session-ended', 'wrong-role', 'idempotency-key-reused'] as const

/** Returns the problem that concerns the caller, too; undefined if an answer is another one, or none. */
function refusalIn(answer: unknown): Problem | undefined {
  const { data } = refusal.safeParse(answer)
  if (data === undefined) return undefined
  const name = data.type.slice(typeBase.length)
  const type =
    Object.values(couponProblems).find((one) => one.name === name) ?? passedOn.find((one) => one === name)
  const { detail, errors } = data
  return type && new Problem(type, { ...(detail !== undefined && { detail }), ...(errors && { errors }) })
}

/** Returns a redeemer that calls the operations at their configured addresses. */
export const openCouponRedeemer = (config: Config): CouponRedeemer =>
  httpCouponRedeemer((operation) => config.functionUrl(operation))
