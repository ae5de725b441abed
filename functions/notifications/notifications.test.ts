import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { orderOf } from './fixtures.ts'
import { contacts, type Notification } from './notification.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['notifications'])))
afterAll(() => shop.close())

const list = async (as: User, query = ''): Promise<Notification[]> =>
  (await shop.get(`/notifications${query}`, { as })).body.items
const kindsOf = async (as: User) => (await list(as)).map(({ kind }) => kind)
const confirm = (orderId: string, id?: string) =>
  shop.react('notify-customer', 'order.confirmed', { orderId }, id)
const speak = (user: User, language: 'en' | 'es') =>
  shop.react('keep-language', 'customer.language-changed', { userId: user.id, language })

/** A customer with a notification. */
async function notified() {
  const user = shop.newUser()
  const orderId = await orderOf(shop, user.id)
  await confirm(orderId)
  const [notification] = await list(user)
  return { user, orderId, notification: notification! }
}

describe('a customer', () => {
  it('is told what is missing, and what was left out', async () => {
    const user = shop.newUser()
    const orderId = await orderOf(shop, user.id)
    const missing = [
      { sku: 'MUG', quantity: 2 },
      { sku: 'PEN', quantity: 1 },
    ]
    await shop.react('notify-customer', 'order.decision-requested', { orderId, missing })
    const taxed = { net: 1000, taxRate: 0, tax: 0, gross: 1000 }
    await shop.react('notify-customer', 'order.reduced', {
      orderId,
      customerId: user.id,
      lines: [{ sku: 'MUG', quantity: 1, unitPrice: 1000, discount: 0, ...taxed }],
      prices: 'gross',
      shipping: { ...taxed, net: 0, gross: 0 },
      total: { amount: 1000, currency: 'EUR' },
      dropped: missing,
    })
    expect((await list(user)).map(({ kind, text }) => [kind, text])).toEqual([
      [
        'order-reduced',
        `We have left 2 × MUG, 1 × PEN out of order ${orderId}, which we do not have. The order costs €10.00 now, and no more than that is charged.`,
      ],
      ['order-undecided', expect.stringContaining('we do not have 2 × MUG, 1 × PEN.')],
    ])
  })

  it('is told what happens to an order, newest first', async () => {
    const user = shop.newUser()
    const orderId = await orderOf(shop, user.id)
    const told = (name: 'order.confirmed' | 'order.shipped' | 'order.completed') =>
      shop.react('notify-customer', name, { orderId })
    await told('order.confirmed')
    await told('order.shipped')
    await told('order.completed')
    const money = { orderId, paymentId: uuidv7() }
    const amount = { amount: 1250, currency: 'EUR' }
    await shop.react('notify-customer', 'payment.refunded', { ...money, amount })
    const reason = 'the issuer declined the card'
    await shop.react('notify-customer', 'payment.declined', { ...money, reason })
    await shop.react('notify-customer', 'order.cancelled', { orderId, reason })
    const told6 = await list(user)
    expect(told6.map(({ kind, seq }) => [seq, kind])).toEqual([
      [6, 'order-cancelled'],
      [5, 'payment-declined'],
      [4, 'payment-refunded'],
      [3, 'order-completed'],
      [2, 'order-shipped'],
      [1, 'order-confirmed'],
    ])
    expect(told6[2]).toEqual({
      id: expect.any(String),
      seq: 4,
      kind: 'payment-refunded',
      title: 'You get €12.50 back',
      text: `We have refunded €12.50 for order ${orderId}. Until your bank shows it, a few days may pass.`,
      language: 'en',
      orderId,
      at: expect.any(String),
      readAt: null,
    })
    for (const { text } of told6.slice(0, 2)) expect(text).toContain(`The payment provider says: ${reason}.`)
  })

  it('reads it in the own language, also what was told before', async () => {
    const { user } = await notified()
    await speak(user, 'es')
    expect(await list(user)).toMatchObject([{ language: 'es', title: 'Tu pedido está confirmado' }])
  })

  it('reads it in the language that was chosen last, in whatever order the choices come', async () => {
    const { user } = await notified()
    const chosen = (language: 'en' | 'es') =>
      shop.eventOf('customer.language-changed', { userId: user.id, language })
    const first = { ...chosen('es'), time: new Date(Date.now() - 1_000) }
    await shop.handle('keep-language', chosen('en'))
    await shop.handle('keep-language', first)
    expect(await list(user)).toMatchObject([{ language: 'en' }])
  })

  it('is told once of an event that is delivered again, whatever else came between', async () => {
    const { user, orderId } = await notified()
    const event = await confirm(orderId)
    const before = await kindsOf(user)
    await confirm(orderId, event.id)
    await orderOf(shop, user.id)
    expect(await kindsOf(user)).toEqual(before)
  })

  it('is told everything, in order, if it becomes known only then whose order it is', async () => {
    const user = shop.newUser()
    const orderId = uuidv7()
    await confirm(orderId)
    await shop.react('notify-customer', 'order.shipped', { orderId })
    expect(await list(user)).toEqual([])
    await shop.react('notify-customer', 'order.placed', {
      orderId,
      customerId: user.id,
      lines: [{ sku: 'MUG', quantity: 1 }],
      total: { amount: 900, currency: 'EUR' },
    })
    expect(await kindsOf(user)).toEqual(['order-shipped', 'order-confirmed'])
  })

  it('is told each of many events that come at once', async () => {
    const user = shop.newUser()
    const orderId = uuidv7()
    const placed = shop.eventOf('order.placed', {
      orderId,
      customerId: user.id,
      lines: [{ sku: 'MUG', quantity: 1 }],
      total: { amount: 900, currency: 'EUR' },
    })
    const others = Array.from({ length: 10 }, () => shop.eventOf('order.confirmed', { orderId }))
    const failed = await shop.handleAll('notify-customer', [
      ...others.slice(5),
      placed,
      ...others.slice(0, 5),
    ])
    expect(failed.filter(Boolean)).toEqual([])
    const seqs = (await list(user)).map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: 10 }, (_, i) => 10 - i))
  })

  it('is told in one transaction with others, each what belongs to them', async () => {
    const [record, account] = [shop.newUser(), shop.newUser()]
    await shop.react('follow-claim', 'customer.claimed', { customerId: record.id, userId: account.id })
    const gone = shop.newUser()
    await shop.react('forget-recipient', 'user.deleted', { userId: gone.id })
    const users = [shop.newUser(), shop.newUser(), record, account, gone]
    const orders = await Promise.all(
      users.flatMap((user) => [user, user]).map(async (user) => ({ user, id: await orderOf(shop, user.id) })),
    )
    const unknown = uuidv7()
    const events = [...orders.map(({ id }) => id), unknown].map((orderId) =>
      shop.eventOf('order.shipped', { orderId }),
    )
    const failed = await shop.handleAll('notify-customer', events)
    expect(failed.filter(Boolean)).toEqual([])
    const told = await Promise.all(users.map((user) => list(user)))
    const sorted = (all: Notification[]) => all.map(({ orderId }) => String(orderId)).toSorted()
    const ordersOf = (user: User) => orders.filter((one) => one.user === user).map(({ id }) => id)
    expect(told.map((all) => all.map(({ seq }) => seq))).toEqual([[2, 1], [2, 1], [], [4, 3, 2, 1], []])
    for (const [i, user] of users.slice(0, 2).entries()) expect(sorted(told[i]!)).toEqual(ordersOf(user))
    expect(sorted(told[3]!)).toEqual([...ordersOf(record), ...ordersOf(account)].toSorted())
    const ids = told.flat().map(({ id }) => id)
    const announced = (await shop.emitted()).filter(({ subject }) => ids.includes(subject))
    expect(announced).toHaveLength(ids.length)
    const { db } = shop.deps('notifications')
    const [written] = await db.client`
      select count(*)::int as rows, count(distinct xmin::text)::int as transactions
      from notifications.notifications where event_id in ${db.client(events.map(({ id }) => id))}`
    // with the one that waits for its customer
    expect(written).toEqual({ rows: ids.length + 1, transactions: 1 })
  })

  it('gets what was told before the account was claimed, and what comes later', async () => {
    const [record, user] = [shop.newUser(), shop.newUser()]
    const before = await orderOf(shop, record.id)
    await confirm(before)
    const mine = await orderOf(shop, user.id)
    await confirm(mine)
    await shop.react('follow-claim', 'customer.claimed', { customerId: record.id, userId: user.id })
    await shop.react('notify-customer', 'order.shipped', { orderId: before })
    // an order that was placed just before
    const late = await orderOf(shop, record.id)
    await confirm(late)
    expect((await list(user)).map(({ seq, kind, orderId }) => [seq, kind, orderId])).toEqual([
      [4, 'order-confirmed', late],
      [3, 'order-shipped', before],
      [2, 'order-confirmed', before],
      [1, 'order-confirmed', mine],
    ])
    expect(await list(record)).toEqual([])
  })

  it('sees no notification of others, and neither do staff', async () => {
    const { user, notification } = await notified()
    for (const other of [shop.newUser(), shop.newUser('staff'), shop.newUser('admin')]) {
      expect(await list(other)).toEqual([])
      const answer = await shop.post(`/notifications/${notification.id}/read`, { as: other })
      expect(answer.status).toBe(404)
    }
    expect(await list(user)).toMatchObject([{ readAt: null }])
  })
})

describe('a notification', () => {
  it('is announced with an event that names nobody', async () => {
    const { user, notification } = await notified()
    expect(await shop.emitted(notification.id)).toMatchObject([
      { type: 'notification.created', data: { notificationId: notification.id, userId: user.id } },
    ])
  })

  it('is marked as read once, and keeps the time', async () => {
    const { user, notification } = await notified()
    const mark = async () => (await shop.post(`/notifications/${notification.id}/read`, { as: user })).body
    const marked = await mark()
    expect(marked).toEqual({ ...notification, readAt: expect.any(String) })
    expect(await mark()).toEqual(marked)
    expect(await list(user, '?unread=true')).toEqual([])
    expect(await list(user)).toEqual([marked])
  })

  it('stays unread if it is newer than those that are marked', async () => {
    const { user, orderId } = await notified()
    await confirm(orderId)
    await confirm(orderId)
    const mark = async (body: object) => (await shop.post('/notifications/read', { as: user, body })).body
    expect(await mark({ upTo: 2 })).toEqual({ unread: 1 })
    expect(await list(user, '?unread=true')).toMatchObject([{ seq: 3 }])
    expect(await mark({})).toEqual({ unread: 0 })
    expect(await list(user, '?unread=true')).toEqual([])
  })

  it('is on one page only', async () => {
    const { user, orderId } = await notified()
    for (let n = 0; n < 4; n++) await confirm(orderId)
    const seqs: number[] = []
    let query = '?limit=2&unread=true'
    for (let pages = 0; query !== '' && pages < 5; pages++) {
      const { body } = await shop.get(`/notifications${query}`, { as: user })
      seqs.push(...body.items.map(({ seq }: Notification) => seq))
      query = body.next === undefined ? '' : `?limit=2&unread=true&cursor=${body.next}`
    }
    expect(seqs).toEqual([5, 4, 3, 2, 1])
  })
})

describe('the stream of notifications', () => {
  /** Opens a stream and returns a function that reads its next event. */
  async function watch(user: User, lastEventId?: string) {
    const response = await shop.app.request('/api/v1/notifications/events', {
      headers: {
        authorization: `Bearer ${await shop.sign(user)}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    onTestFinished(() => reader.cancel())
    return async () => {
      while (!text.includes('\n\n')) text += (await reader.read()).value ?? ''
      const [event, ...rest] = text.split('\n\n')
      text = rest.join('\n\n')
      const [id, type, data] = ['id', 'event', 'data'].map((name) =>
        event!
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))!
          .slice(name.length + 2),
      )
      return { id, type, data: JSON.parse(data!) as Notification }
    }
  }

  it('begins with what comes now', async () => {
    const { user, orderId } = await notified()
    const read = await watch(user)
    await shop.react('notify-customer', 'order.shipped', { orderId })
    const told = await read()
    expect(told).toMatchObject({ id: '2', type: 'order-shipped' })
    expect([told.data]).toEqual((await list(user)).slice(0, 1))
  })

  it('goes on after what the client has', async () => {
    const { user, orderId } = await notified()
    await confirm(orderId)
    await confirm(orderId)
    const read = await watch(user, '1')
    expect([(await read()).id, (await read()).id]).toEqual(['2', '3'])
  })

  it('tells nobody else', async () => {
    const { user, orderId } = await notified()
    const other = await notified()
    const read = await watch(other.user, '0')
    await confirm(orderId)
    await confirm(other.orderId)
    expect((await read()).data.orderId).toBe(other.orderId)
    expect((await read()).data.orderId).toBe(other.orderId)
    expect(await kindsOf(user)).toHaveLength(2)
  })
})

describe('a contact', () => {
  const change = async (userId: string, contact: object, contactId = uuidv7()) => {
    await shop.leaveSecret('notifications', contactId, JSON.stringify(contact))
    return () => shop.react('keep-contact', 'user.contact-changed', { userId, contactId })
  }
  const kept = async (userId: string) =>
    (await shop.deps('notifications').db.select().from(contacts).where(eq(contacts.userId, userId)))[0]

  it('is kept, and its secret is not', async () => {
    const [userId, canary] = [uuidv7(), randomUUID()]
    await (
      await change(userId, { email: `${canary}@example.com`, name: 'Ada' })
    )()
    expect(await kept(userId)).toMatchObject({ email: `${canary}@example.com`, name: 'Ada', language: 'en' })
    expect(await tablesWith(shop.admin, canary)).toEqual(['notifications.contacts'])
  })

  it('is the newest, in whatever order they come', async () => {
    const userId = uuidv7()
    const earlier = await change(userId, { email: 'old@example.com', name: 'Ada' })
    const later = await change(userId, { email: 'new@example.com', name: 'Ada King' })
    await later()
    await earlier()
    expect(await kept(userId)).toMatchObject({ email: 'new@example.com', name: 'Ada King' })
  })

  it('stays as it is if nobody has taken its secret for a day', async () => {
    const userId = uuidv7()
    await (
      await change(userId, { email: 'ada@example.com', name: 'Ada' })
    )()
    await shop.react('keep-contact', 'user.contact-changed', { userId, contactId: uuidv7() })
    expect(await kept(userId)).toMatchObject({ email: 'ada@example.com' })
  })

  it('of a deleted user is forgotten with the notifications, and stays so whatever comes later', async () => {
    const { user, orderId } = await notified()
    const canary = randomUUID()
    await (
      await change(user.id, { email: `${canary}@example.com`, name: canary })
    )()
    const late = await change(user.id, { email: 'late@example.com', name: 'Ada' })
    const { id } = await shop.react('forget-recipient', 'user.deleted', { userId: user.id })
    await shop.react('forget-recipient', 'user.deleted', { userId: user.id }, id)
    await late()
    await confirm(orderId)
    expect(await tablesWith(shop.admin, canary)).toEqual([])
    expect(await kept(user.id)).toMatchObject({ email: null, name: null })
    expect(await list(user)).toEqual([])
  })
})
