import type { RedemptionState } from '../../functions/coupons/redemption.ts'
import type { Books, Finding } from './checker.ts'

/** What the checker reads of the coupons domain. */
export interface CouponBooks {
  coupons: {
    id: string
    code: string
    max_in_all: number | null
    max_per_user: number | null
    redeemed: number
  }[]
  redemptions: { order_id: string; coupon_id: string; user_id: string; state: RedemptionState }[]
}

/** The queries that read them. */
export const couponQueries = {
  coupons: 'select id, code, max_in_all, max_per_user, redeemed from coupons.coupons',
  redemptions: 'select order_id, coupon_id, user_id, state from coupons.redemptions',
} as const

/** Checks that coupons are redeemed by the orders that have them, by no others, and not too often. */
export function coupons({ coupons, redemptions, orders }: Books): Finding {
  const violations: string[] = []
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  for (const { id, code, max_in_all: inAll, max_per_user: perUser, redeemed } of coupons) {
    const active = redemptions.filter(
      (one) => one.coupon_id === id && (one.state === 'held' || one.state === 'confirmed'),
    )
    if (active.length !== redeemed)
      violations.push(
        `${code} says that it is redeemed ${redeemed} times, but ${active.length} orders have it`,
      )
    if (inAll !== null && active.length > inAll)
      violations.push(`${code} is redeemed ${active.length} times, and ${inAll} are allowed`)
    for (const [user, own] of Object.entries(Object.groupBy(active, (one) => one.user_id)))
      if (perUser !== null && own!.length > perUser)
        violations.push(`${code} is redeemed ${own!.length} times by ${user}, and ${perUser} are allowed`)
    for (const { order_id: order, state } of active) {
      if (state === 'held') violations.push(`${code} is still held for order ${order}`)
      const { status } = orderOf.get(order) ?? {}
      if (status === undefined || status === 'cancelled')
        violations.push(`${code} is not given back by order ${order}, which is ${status ?? 'not placed'}`)
    }
  }
  const states = new Map(redemptions.map((one) => [`${one.order_id} ${one.coupon_id}`, one.state]))
  const idOf = new Map(coupons.map(({ id, code }) => [code, id]))
  for (const { id, status, coupon_codes: codes } of orders)
    for (const code of codes) {
      const state = states.get(`${id} ${idOf.get(code)}`)
      if (status !== 'cancelled' && state !== 'confirmed')
        violations.push(`order ${id} has ${code}, whose redemption is ${state ?? 'missing'}`)
    }
  return {
    name: 'I9',
    what: 'a coupon is redeemed at most as often as it may be, by the orders that have it and by no others',
    figures: `${coupons.length} coupons, ${redemptions.length} redemptions`,
    violations,
  }
}
