import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Schemas } from '../../../demo/client/client.ts'
import { good } from '../../../demo/client/good.ts'
import { expecting, newOrder } from '../../../demo/client/orders.ts'
import type { Person } from '../../../demo/client/shop.ts'
import { patienceMs } from './insist.ts'
import { createParcels } from './parcels.ts'
import { at, skus, withKey, type Scene } from './scene.ts'

/** The cards, as often as they are used per 100 orders. `card_timeout` takes long, so it is rare. */
const cards = [
  ...Array<string>(70).fill('card_approved'),
  ...Array<string>(10).fill('card_declined'),
  ...Array<string>(5).fill('card_insufficient_funds'),
  ...Array<string>(8).fill('card_capture_fails'),
  ...Array<string>(6).fill('card_flaky'),
  'card_timeout',
]

/** An order and its customer. */
export interface Placed {
  id: string
  who: Person
}

/** Places, cancels and ships orders. */
export function createOrders({ random, people, staff, insist, promised, prices, coupons }: Scene) {
  const parcels = createParcels({ staff, insist })
  const placed: Placed[] = []
  /** Orders that staff have not tried to ship, oldest first. */
  const unshipped: Placed[] = []
  /** Orders whose card is good. */
  const payable = new Set<string>()

  const anyOrder = () => random.pick(placed)

  const randomCard = () => random.pick(cards)

  function randomOrder(card = randomCard()) {
    const lines = Array.from({ length: 1 + random.below(3) }, () => ({
      sku: random.pick(skus),
      quantity: 1 + random.below(3),
    }))
    return newOrder(lines, card)
  }

  /** Sends an order once. Returns the body as text, because a repeated response must be identical. */
  const sendOnce = (who: Person, body: Schemas['NewOrder'], key: string) =>
    who.POST('/orders', {
      params: withKey(key),
      // what coupons take off is not known
      body: body.couponCodes === undefined ? expecting(body, prices) : body,
      parseAs: 'text',
    })

  /** Records the first response to an order. */
  function promise(who: Person, key: string, text: string): Placed {
    const order = parse(text)
    promised.orders.set(key, { customerId: who.user.id, status: 201, bodies: new Set([text]), order })
    const one = { id: order.id, who }
    placed.push(one)
    unshipped.push(one)
    return one
  }

  /** Adds a coupon to some orders. */
  const maybeReduced = (body: Schemas['NewOrder']): Schemas['NewOrder'] =>
    random.next() < 0.25 ? { ...body, couponCodes: [random.pick(coupons)] } : body

  /** Records a repeated response to an order. */
  const again = (key: string, text: string) => void promised.orders.get(key)!.bodies.add(text)

  async function place(
    who = random.pick(people),
    body = maybeReduced(randomOrder()),
    key: string = randomUUID(),
  ): Promise<Placed> {
    const answer = await insist('an order', () => sendOnce(who, body, key))
    if (isUsedUp(answer.error)) {
      const { couponCodes: _, ...without } = body
      return place(who, without)
    }
    const text = await good(Promise.resolve(answer))
    const { id } = parse(text)
    // one that says what becomes of it may find too little stock
    if (body.payment.cardToken === 'card_approved' && body.onShortage === undefined) payable.add(id)
    const isKnown = promised.orders.has(key)
    if (isKnown) again(key, text)
    else promise(who, key, text)
    // some clients send the request again
    if (!isKnown && random.next() < 0.3) await place(who, body, key)
    return { id, who }
  }

  /** Places an order that must be accepted at the first attempt. Returns how long that took, in ms. */
  async function placeAtOnce(card?: string): Promise<number> {
    const [who, key] = [random.pick(people), randomUUID()]
    const began = performance.now()
    promise(who, key, await good(sendOnce(who, randomOrder(card), key)))
    return performance.now() - began
  }

  /** Places an order each second, each of which must be accepted at the first attempt. Returns a summary. */
  async function ordersAreTaken(forMs: number): Promise<string> {
    const took: number[] = []
    for (const end = performance.now() + forMs; performance.now() < end; await pause(1_000))
      took.push(await placeAtOnce())
    return `${took.length} orders accepted at the first attempt, the slowest in ${Math.max(...took).toFixed(0)} ms`
  }

  /** Decides what becomes of an order with a shortage. One that waits for no decision stays as it is. */
  async function decide({ id, who }: Placed, decision = random.pick(['part', 'wait', 'cancel'] as const)) {
    const { data } = await insist('a decision', () =>
      who.POST('/orders/{id}/decision', { ...at(id), body: { decision } }),
    )
    if (data !== undefined && decision === 'cancel') promised.cancelled.add(id)
  }

  async function cancel({ id, who }: Placed = anyOrder()) {
    const { data } = await insist('a cancellation', () =>
      who.POST('/orders/{id}/cancellation', { ...at(id), body: {} }),
    )
    if (data !== undefined) promised.cancelled.add(id)
  }

  /** Ships an order as a whole, or some of them in parcels. */
  async function shipSome() {
    const one = unshipped.shift() ?? anyOrder()
    if (random.next() < 0.3 && (await shipPart(one.id))) await parcels.finish(one.id)
    else await ship(one)
  }

  /** Ships a piece of an order. Returns whether there is more to ship, in parcels. */
  async function shipPart(id: string): Promise<boolean> {
    const isBegun = await parcels.begin(id)
    if (isBegun) promised.shipped.add(id)
    return isBegun
  }

  async function ship({ id }: { id: string }) {
    await insist('a timeline', () => staff.GET('/orders/{id}/timeline', at(id)))
    const { data } = await insist('a shipment', () =>
      staff.POST('/orders/{id}/shipment', { ...at(id), body: {} }),
    )
    if (data !== undefined) promised.shipped.add(id)
  }

  /** @throws ApiError if there is no such order */
  async function statusOf(id: string): Promise<Schemas['Order']['status']> {
    return (await good(insist('the status of an order', () => staff.GET('/orders/{id}', at(id))))).status
  }

  /** Waits until an order is confirmed or has ended. */
  async function decided(id: string): Promise<string> {
    const until = performance.now() + patienceMs
    let status = ''
    // polls less and less often, because hundreds of orders may be polled at once
    for (let wait = 50; performance.now() < until; wait = Math.min(1.5 * wait, 1_000)) {
      status = await statusOf(id)
      if (['confirmed', 'shipped', 'completed', 'cancelled'].includes(status)) return status
      await pause(wait)
    }
    throw new Error(`Order ${id} is still ${status} after ${patienceMs} ms`)
  }

  return {
    isEmpty: () => placed.length === 0,
    anyOrder,
    randomCard,
    sendOnce,
    promise,
    again,
    place,
    placeAtOnce,
    ordersAreTaken,
    cancel,
    decide,
    ship,
    shipSome,
    shipPart,
    finishParcels: parcels.finish,
    statusOf,
    decided,
    /** Orders that can be paid and that nobody has cancelled. */
    payable: () => [...payable].filter((id) => !promised.cancelled.has(id)),
  }
}

export type Orders = ReturnType<typeof createOrders>

/** Whether an order was refused because its coupon is used up. */
const isUsedUp = (error: unknown) =>
  (error as Schemas['Problem'] | undefined)?.type?.endsWith('/coupon-used-up') ?? false

/** Parses an order from the API. */
const parse = (text: string) => JSON.parse(text) as Schemas['Order']
