import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { UserError } from '../functions/shared/process/user-error.ts'
import { formatMoney } from '../functions/shared/schemas/money.ts'
import { checkoutOf } from './client/carts.ts'
import type { Client, Schemas } from './client/client.ts'
import { good } from './client/good.ts'
import { readOrder, type Line } from './client/orders.ts'
import { deliverParcel, packParcel, shipParcel } from './client/shipments.ts'
import type { Person, ShopClient } from './client/shop.ts'
import { readTimeline, waitForEntries } from './client/timeline.ts'

/** How long an event may take to arrive where it is waited for, in ms. */
const patienceMs = 60_000

const at = (id: string) => ({ params: { path: { id } } })

/** What the story needs of the shop. */
interface Stage {
  shop: ShopClient
  staff: Person
  /** Two different products; of the first, there must be two pieces. */
  lines: readonly [Line, Line]
  /** Where the documents are written. */
  folder: string
  say: (text: string) => void
}

/**
 * Tells how a guest's cart becomes an order, which is shipped in two parcels and partly sent back.
 * @throws UserError if something that must happen does not within a minute
 */
export async function tellStory({ shop, staff, lines, folder, say }: Stage): Promise<void> {
  say(`\n${pc.bold('A guest fills a cart')}`)
  const guest = await fillCart(shop, lines)
  say(`  ${lines.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')}`)

  say(pc.bold('logs in, and finds it again'))
  const email = `grace-${randomUUID().slice(0, 8)}@example.com`
  const grace = await shop.register({ email, name: 'Grace' })
  const cart = await good(grace.GET('/carts/current', { params: { header: { 'Cart-Token': guest } } }))
  say(`  ${email}: ${cart.pieces} pieces for ${money(cart.subtotal!)}`)

  say(pc.bold('and checks out with a coupon'))
  const couponCode = await offerCoupon(staff)
  const checkout = { ...checkoutOf(cart.subtotal!), couponCodes: [couponCode] }
  const order = await good(grace.POST('/carts/current/checkout', { body: checkout }))
  say(`  order ${order.id}: ${amounts(order)}`)
  await waitForEntries(grace, order.id, 'order.confirmed')

  say(pc.bold('Staff pack two parcels, and ship them'))
  await eventually('the order waits to be packed', async () =>
    (await staff.GET('/shipments/{id}', at(order.id))).response.ok ? true : undefined,
  )
  for (const [i, { sku, quantity }] of lines.entries()) {
    const parcel = await packParcel(staff, order.id, [{ sku, quantity }])
    const dispatch = { carrier: 'Bike courier', trackingNumber: `BC-${randomUUID().slice(0, 8)}` }
    await shipParcel(staff, order.id, parcel.id, dispatch)
    await deliverParcel(staff, order.id, parcel.id)
    say(`  parcel ${i + 1}: ${quantity} × ${sku}, ${dispatch.carrier} ${dispatch.trackingNumber}, delivered`)
  }
  await waitForEntries(grace, order.id, 'order.completed')

  say(pc.bold('Grace sends one piece back'))
  await sendBack(grace, staff, order.id, lines[0].sku, say)
  await waitForEntries(grace, order.id, 'payment.refunded', 'credit-note.issued')
  for (const { type, detail } of await readTimeline(grace, order.id))
    say(pc.dim(`  ${type.padEnd(22)} ${detail ?? ''}`))

  say(pc.bold('and has these documents'))
  const documents = await eventually('two invoices and a credit note', async () => {
    const { items } = await good(grace.GET('/invoices', { params: { query: { orderId: order.id } } }))
    return items.length === lines.length + 1 ? items : undefined
  })
  mkdirSync(folder, { recursive: true })
  for (const { id, number, gross, currency } of documents) {
    const file = join(folder, `${number}.pdf`)
    writeFileSync(file, await readPdf(grace, id))
    say(`  ${number.padEnd(15)}  ${money({ amount: gross, currency }).padStart(10)}  ${relative('.', file)}`)
  }
  await showMails(shop.url, email, say)
}

const money = (amount: Schemas['Money']) => formatMoney(amount)

/** Puts products into the cart of a guest. Returns the token of the cart. */
async function fillCart(shop: Client, lines: readonly Line[]): Promise<string> {
  let token: string | undefined
  for (const { sku, quantity } of lines) {
    const header = token === undefined ? {} : { 'Cart-Token': token }
    const put = shop.PUT('/carts/current/items/{sku}', {
      params: { path: { sku }, header },
      body: { quantity },
    })
    await good(put)
    token ??= (await put).response.headers.get('cart-token') ?? undefined
  }
  if (token === undefined) throw new UserError('The shop gave the guest no token for the cart.')
  return token
}

/** Creates a coupon of ten percent that one order may have. Returns its code. */
async function offerCoupon(staff: Client): Promise<string> {
  const code = `DEMO-${randomUUID().slice(0, 8)}`
  const body = { code, discount: { percent: 10 }, skus: [], categories: [], maxInAll: 1 }
  return (await good(staff.POST('/coupons', { body }))).code
}

function amounts({ total, amounts: told }: Schemas['Order']): string {
  if (told === null) return money(total)
  const of = (amount: number) => money({ amount, currency: total.currency })
  return `${money(total)}, with ${of(told.tax)} tax, ${of(told.shipping.gross)} shipping, ${of(told.discount)} off`
}

/** Sends a piece back, which staff receive. */
async function sendBack(
  customer: Client,
  staff: Client,
  orderId: string,
  sku: string,
  say: (text: string) => void,
) {
  const body = { orderId, items: [{ sku, quantity: 1, reason: 'unwanted' as const }] }
  // what was bought is known by event
  const { id } = await eventually('the order can be sent back', async () => {
    const asked = await customer.POST('/returns', { body })
    return asked.response.status === 409 || asked.response.status === 422
      ? undefined
      : good(Promise.resolve(asked))
  })
  await good(staff.POST('/returns/{id}/approval', at(id)))
  const items = [{ sku, quantity: 1, restock: true }]
  await good(staff.POST('/returns/{id}/receipt', { ...at(id), body: { items } }))
  await waitForEntries(customer, orderId, 'payment.refunded')
  const { currency } = (await readOrder(customer, orderId)).total
  const { refund } = await good(customer.GET('/returns/{id}', at(id)))
  say(`  1 × ${sku}: ${refund === null ? '' : money({ ...refund, currency })} refunded, and back in stock`)
}

async function readPdf(who: Client, id: string): Promise<Uint8Array> {
  const pdf = who.GET('/invoices/{id}', {
    ...at(id),
    headers: { accept: 'application/pdf' },
    parseAs: 'arrayBuffer',
  })
  return new Uint8Array(await good(pdf))
}

/** Shows the mails to an address, if the shop keeps its mails where they can be read, as `npm start` does. */
async function showMails(url: string, email: string, say: (text: string) => void) {
  const mails = async () => {
    const page = await fetch(`${url}/_mail/mails.json`)
    if (!page.ok) return undefined
    // written by the local runner
    const { items } = (await page.json()) as { items: { to: string; subject: string; id: string }[] }
    return items.filter(({ to }) => to.includes(email))
  }
  if ((await mails()) === undefined) return
  const isComplete = (all: { subject: string }[]) => all.some(({ subject }) => /invoice/i.test(subject))
  const all = await eventually('the mails', async () =>
    (await mails())?.filter((_, __, found) => isComplete(found)),
  )
  say(pc.bold('and these mails'))
  for (const { id, subject } of all.toReversed())
    say(`  ${subject.padEnd(48)} ${pc.dim(`${url}/_mail/${id}`)}`)
}

/** Asks until there is an answer, or a list that is not empty. */
async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + patienceMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && !(Array.isArray(answer) && answer.length === 0)) return answer
    if (Date.now() > end) throw new UserError(`Waited in vain: ${what}.`)
    await pause(200)
  }
}
