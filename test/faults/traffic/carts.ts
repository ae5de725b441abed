import { randomUUID } from 'node:crypto'
import { checkoutOf } from '../../../demo/client/carts.ts'
import { good } from '../../../demo/client/good.ts'
import type { Person } from '../../../demo/client/shop.ts'
import type { Orders } from './orders.ts'
import { skus, withKey, type Scene } from './scene.ts'

/** Fills carts and checks them out. Each cart is ordered once, however often the customer clicks. */
export function createCarts({ random, people, insist }: Scene, { promise, again, randomCard }: Orders) {
  /** Customers whose cart is being filled: two people do not use one cart at a time. */
  const busy = new Set<Person>()

  async function checkOut() {
    const who = people.find((one) => !busy.has(one))
    if (who === undefined) return
    busy.add(who)
    try {
      await fill(who)
      await order(who)
    } finally {
      busy.delete(who)
    }
  }

  async function fill(who: Person) {
    await insist('emptying a cart', () => who.DELETE('/carts/current'))
    for (const sku of new Set([random.pick(skus), random.pick(skus)])) {
      const body = { quantity: 1 + random.below(3) }
      const at = { params: { path: { sku } }, body }
      await good(insist('a cart item', () => who.PUT('/carts/current/items/{sku}', at)))
    }
  }

  async function order(who: Person) {
    const { subtotal } = await good(insist('a cart', () => who.GET('/carts/current')))
    const body = checkoutOf(subtotal!, randomCard())
    const send = (key: string) =>
      insist('a checkout', () =>
        who.POST('/carts/current/checkout', { params: withKey(key), body, parseAs: 'text' }),
      )
    // some customers click twice
    const keys = Array.from({ length: random.next() < 0.3 ? 2 : 1 }, () => randomUUID())
    const answers = await Promise.all(keys.map(send))
    const placed = answers.flatMap(({ data }, i) => (data === undefined ? [] : [[keys[i]!, data] as const]))
    // a click that comes when the cart is empty is refused, but never all
    const [first, ...others] = placed
    if (first === undefined) throw new Error(`a checkout was refused: ${JSON.stringify(answers[0]!.error)}`)
    promise(who, ...first)
    for (const [, text] of others) again(first[0], text)
    // and some send the request again
    if (random.next() < 0.3) again(first[0], await good(send(first[0])))
  }

  return { checkOut }
}
