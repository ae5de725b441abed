import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { knowProducts, place, putStatus } from '../../test/orders.ts'
import { expectInvalid, expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { openShop, type Send, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'])
  await knowProducts(shop, ['MUG', 1250])
})
afterAll(() => shop.close())

const note = (id: string, as: User, body: object, send: Send = {}) =>
  shop.post(`/orders/${id}/notes`, { as, body, ...send })

interface Entry {
  seq: number
  type: string
  detail: string | null
  visibility?: string
}

/** Returns the notes on an order's timeline, as a user sees them. */
async function notesOf(id: string, as: User): Promise<(string | null)[]> {
  const { body } = await shop.get(`/orders/${id}/timeline`, { as })
  return (body.items as Entry[]).filter(({ type }) => type === 'order.note-added').map(({ detail }) => detail)
}

/** Returns the entries that a user gets who watches an order that has ended, and the answer's status. */
async function watch(id: string, as: User, lastEventId?: string) {
  const response = await shop.app.request(`/api/v1/orders/${id}/events`, {
    headers: {
      authorization: `Bearer ${await shop.sign(as)}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  })
  return { status: response.status, text: await response.text() }
}

describe('a note', () => {
  it('is on the timeline, with who wrote it, whoever of the two it was', async () => {
    const user = shop.newUser()
    const { staff } = shop.users
    const { id } = await place(shop, user)
    const asked = await note(id, user, { text: ' When will it come? ' })
    expect(asked).toMatchObject({
      status: 201,
      body: {
        seq: 2,
        type: 'order.note-added',
        detail: 'When will it come?',
        visibility: 'customer',
        status: 'placed',
        actor: { role: 'customer', id: user.id },
      },
    })
    expect(asked.headers.get('location')).toBe(`/api/v1/orders/${id}/timeline`)
    await note(id, staff, { text: 'On Monday.', visibility: 'customer' })
    for (const as of [user, staff])
      expect(await notesOf(id, as)).toEqual(['When will it come?', 'On Monday.'])
    const { body } = await shop.get(`/orders/${id}/timeline`, { as: user })
    expect(body.items[1]).toEqual(asked.body)
    expect(body.items[2].actor).toEqual({ role: 'staff', id: staff.id })
    expect(body.items[0]).not.toHaveProperty('visibility')
  })

  it('is seen by staff alone if it is for staff, on the timeline and in the stream', async () => {
    const user = shop.newUser()
    const { staff } = shop.users
    const { id } = await place(shop, user)
    const secret = await note(id, staff, { text: 'The address looks odd.', visibility: 'staff' })
    expect(secret.body).toMatchObject({ detail: 'The address looks odd.', visibility: 'staff' })
    await note(id, staff, { text: 'Hello!' })
    expect(await notesOf(id, user)).toEqual(['Hello!'])
    expect(await notesOf(id, shop.users.admin)).toEqual(['The address looks odd.', 'Hello!'])
    await shop.post(`/orders/${id}/cancellation`, { as: user, body: {} })
    const [theirs, ours] = await Promise.all([watch(id, user), watch(id, staff)])
    expect(theirs.text).not.toContain('odd')
    expect(theirs.text.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 3', 'id: 4'])
    expect(ours.text).toContain('odd')
  }, 15_000)

  it('for staff does not make the customer watch an order again that has ended', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await shop.post(`/orders/${id}/cancellation`, { as: user, body: {} })
    await note(id, shop.users.staff, { text: 'A pity.', visibility: 'staff' })
    expect(await watch(id, user, '2')).toEqual({ status: 204, text: '' })
  })

  it('for staff is written by staff only', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    expectProblem(
      await note(id, user, { text: 'x', visibility: 'staff' }),
      'wrong-role',
      'Only staff write notes that the customer does not see.',
    )
  })

  it('is neither read nor written by others', async () => {
    const { id } = await place(shop, shop.newUser())
    for (const as of [shop.newUser(), shop.newUser('seller')])
      for (const visibility of ['customer', 'staff'])
        expectProblem(
          await note(id, as, { text: 'x', visibility }),
          'not-found',
          'There is no order with this id.',
        )
  })

  it('is added once for each key', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const key = randomUUID()
    const answers = await Promise.all([1, 2, 3].map(() => note(id, user, { text: 'once' }, { key })))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(await notesOf(id, user)).toEqual(['once'])
  })

  it('changes neither the version of the order nor its status, and is also added after its end', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await putStatus(shop, id, 'completed')
    expect((await note(id, user, { text: 'Thank you!' })).body.status).toBe('completed')
    const { headers, body } = await shop.get(`/orders/${id}`, { as: user })
    expect([headers.get('etag'), body.status]).toEqual(['"1"', 'completed'])
  })

  it('has a text of 1,000 characters at most', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    expect((await note(id, user, { text: 'x'.repeat(1000) })).status).toBe(201)
    expectInvalid(
      await note(id, user, { text: 'x'.repeat(1001), visibility: 'nobody' }),
      { pointer: '/body/text', detail: 'Too big: expected string to have <=1000 characters' },
      { pointer: '/body/visibility', detail: 'Invalid option: expected one of "customer"|"staff"' },
    )
  })

  it('is one of 100 at most, however many are written at once', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const answers = await Promise.all(
      Array.from({ length: 102 }, (_, n) => note(id, n % 2 ? user : shop.users.staff, { text: `${n}` })),
    )
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused).toHaveLength(2)
    for (const answer of refused)
      expectOwnProblem(answer, 'too-many-notes', [409, 'Too many notes'], 'An order has 100 notes at most.')
    const { body } = await shop.get(`/orders/${id}/timeline`, { as: user })
    expect((body.items as Entry[]).map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 101 }, (_, n) => n + 1),
    )
  })

  it('is forgotten with the customer, whoever wrote it, and then none is added', async () => {
    const user = shop.newUser()
    const mark = randomUUID()
    const { id } = await place(shop, user)
    await note(id, user, { text: `a ${mark}` })
    await note(id, shop.users.staff, { text: `b ${mark}` })
    await note(id, shop.users.staff, { text: `c ${mark}`, visibility: 'staff' })
    await putStatus(shop, id, 'shipped')
    await shop.react('forget-customer', 'user.deleted', { userId: user.id })
    // it is still under way
    expect(await notesOf(id, shop.users.staff)).toEqual([`a ${mark}`, `b ${mark}`, `c ${mark}`])
    const amount = { amount: 2500, currency: 'EUR' }
    await shop.react('complete-order', 'payment.captured', { orderId: id, paymentId: randomUUID(), amount })
    expect(await notesOf(id, shop.users.staff)).toEqual([null, null, null])
    expect(await tablesWith(shop.admin, mark)).toEqual([])
    expectOwnProblem(
      await note(id, shop.users.staff, { text: 'x' }),
      'customer-deleted',
      [409, 'The customer is deleted'],
      'The order was anonymised when the customer was deleted: nothing can be added to it.',
    )
  })
})
