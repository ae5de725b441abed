import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { address } from '../../demo/client/orders.ts'
import { expectInvalid, expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { tablesWith } from '../../test/contents.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { newCard } from './fixtures.ts'

/** Saved addresses and saved payment methods have the same rules. */

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['customers'])
})
afterAll(() => shop.close())

const kinds = [
  {
    kind: 'addresses',
    body: () => ({ label: 'home', address }),
    change: { label: 'work' },
    most: 20,
    notFound: 'There is no such address.',
    tooMany: { name: 'too-many-addresses', title: 'Too many saved addresses' },
  },
  {
    kind: 'payment-methods',
    body: newCard,
    change: { expires: '2031-12' },
    most: 10,
    notFound: 'There is no such payment method.',
    tooMany: { name: 'too-many-payment-methods', title: 'Too many saved payment methods' },
  },
] as const

describe.each(kinds)('the saved $kind', ({ kind, body, change, most, notFound, tooMany }) => {
  const at = (user: User, id?: string) => `/customers/${user.id}/${kind}${id === undefined ? '' : `/${id}`}`
  const save = (user: User, more: object = {}) =>
    shop.create(at(user), { as: user, body: { ...body(), ...more } })
  const list = async (user: User, query = '') =>
    (await shop.get(`${at(user)}${query}`, { as: user })).body.items as { id: string; isDefault: boolean }[]
  const defaultOf = async (user: User) =>
    (await list(user)).filter(({ isDefault }) => isDefault).map(({ id }) => id)

  it('are read one by one and as a list, in the order in which they were saved', async () => {
    const user = shop.newUser()
    const saved = [await save(user), await save(user), await save(user)]
    expect(await list(user)).toEqual(saved)
    expect(await list(user, '?sort=newest')).toEqual(saved.toReversed())
    for (const item of saved) {
      const answer = await shop.get(at(user, item.id), { as: user })
      expect(answer.body).toEqual(item)
      expect([answer.headers.get('etag'), answer.headers.get('cache-control')]).toEqual(['"1"', 'no-store'])
    }
  })

  it('say where a new one is, and create it once for each key', async () => {
    const user = shop.newUser()
    const send = { as: user, key: randomUUID(), body: body() }
    const first = await shop.post(at(user), send)
    expect(first.headers.get('location')).toBe(`/api/v1${at(user, first.body.id)}`)
    const again = await Promise.all([shop.post(at(user), send), shop.post(at(user), send)])
    for (const { status, text } of again) expect([status, text]).toEqual([201, first.text])
    expect(await list(user)).toHaveLength(1)
  })

  it('have one default: the first one, until another is made it, or it is deleted', async () => {
    const user = shop.newUser()
    const [first, second, third] = [await save(user), await save(user), await save(user, { isDefault: true })]
    expect(await defaultOf(user)).toEqual([third.id])
    await shop.patch(at(user, second.id), { as: user, body: { isDefault: true }, ifMatch: '"1"' })
    expect(await defaultOf(user)).toEqual([second.id])
    // the one before has another version, because it has changed
    expect((await shop.get(at(user, third.id), { as: user })).headers.get('etag')).toBe('"2"')
    await shop.delete(at(user, second.id), { as: user })
    expect(await defaultOf(user)).toEqual([first.id])
    for (const { id } of [first, third]) await shop.delete(at(user, id), { as: user })
    expect(await list(user)).toEqual([])
    expectInvalid(
      await shop.patch(at(user, first.id), { as: user, body: { isDefault: false }, ifMatch: '*' }),
      { pointer: '/body/isDefault', detail: 'make another one the default instead' },
    )
  })

  it('have one default, whatever is sent at the same time', async () => {
    const user = shop.newUser()
    const saved = await Promise.all(Array.from({ length: 6 }, () => save(user, { isDefault: true })))
    await Promise.all([
      ...saved
        .slice(1)
        .map(({ id }) => shop.patch(at(user, id), { as: user, body: { isDefault: true }, ifMatch: '*' })),
      shop.delete(at(user, saved[0].id), { as: user }),
      save(user),
    ])
    expect(await list(user)).toHaveLength(6)
    expect(await defaultOf(user)).toHaveLength(1)
  })

  it('are changed with an If-Match of the present version', async () => {
    const user = shop.newUser()
    const { id } = await save(user)
    const patch = (ifMatch?: string) =>
      shop.patch(at(user, id), { as: user, body: change, ...(ifMatch && { ifMatch }) })
    expect((await patch()).status).toBe(428)
    expect(await patch('"1"')).toMatchObject({ status: 200, body: { ...change, isDefault: true } })
    expect((await patch('"1"')).status).toBe(412)
    expect((await shop.delete(at(user, id), { as: user, ifMatch: '"1"' })).status).toBe(412)
    expect((await shop.delete(at(user, id), { as: user, ifMatch: '"2"' })).status).toBe(204)
    expectProblem(await shop.get(at(user, id), { as: user }), 'not-found', notFound)
  })

  it('are nobody else’s: others get a 404, staff may do everything', async () => {
    const user = shop.newUser()
    const { id } = await save(user)
    const calls = [
      (as: User) => shop.get(at(user, id), { as }),
      (as: User) => shop.patch(at(user, id), { as, body: change, ifMatch: '*' }),
      (as: User) => shop.delete(at(user, id), { as }),
      // also below the caller's own id
      (as: User) => shop.get(at(as, id), { as }),
    ]
    for (const as of [shop.newUser(), shop.newUser('seller')]) {
      for (const call of calls) expectProblem(await call(as), 'not-found', notFound)
      for (const answer of [
        await shop.get(at(user), { as }),
        await shop.post(at(user), { as, body: body() }),
      ])
        expectProblem(answer, 'not-found', 'There is no customer with this id.')
    }
    const { staff } = shop.users
    expect((await shop.get(at(user), { as: staff })).body.items).toHaveLength(1)
    expect((await shop.post(at(user), { as: staff, body: body() })).status).toBe(201)
    expect((await shop.patch(at(user, id), { as: staff, body: change, ifMatch: '*' })).status).toBe(200)
    expect((await shop.delete(at(user, id), { as: staff })).status).toBe(204)
  })

  it(`are ${most} at most, however many are saved at once`, async () => {
    const user = shop.newUser()
    const answers = await Promise.all(
      Array.from({ length: most + 3 }, () => shop.post(at(user), { as: user, body: body() })),
    )
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused).toHaveLength(3)
    const name = kind.replace('-', ' ')
    for (const answer of refused)
      expectOwnProblem(
        answer,
        tooMany.name,
        [409, tooMany.title],
        `A customer has ${most} saved ${name} at most: delete one first.`,
      )
    await shop.delete(at(user, (await list(user))[0]!.id), { as: user })
    expect((await shop.post(at(user), { as: user, body: body() })).status).toBe(201)
  })
})

describe('a saved payment method', () => {
  const methods = (user: User) => `/customers/${user.id}/payment-methods`

  it('shows its token to the customer only, and not to staff', async () => {
    const user = shop.newUser()
    const card = newCard()
    const saved = await shop.create(methods(user), { as: user, body: card })
    expect(saved.cardToken).toBe(card.cardToken)
    for (const path of [methods(user), `${methods(user)}/${saved.id}`]) {
      expect((await shop.get(path, { as: user })).text).toContain(card.cardToken)
      expect((await shop.get(path, { as: 'staff' })).text).not.toContain(card.cardToken)
    }
  })

  it('is saved once', async () => {
    const user = shop.newUser()
    const card = newCard()
    await shop.create(methods(user), { as: user, body: card })
    expectOwnProblem(
      await shop.post(methods(user), { as: user, body: { ...card, isDefault: true } }),
      'payment-method-saved',
      [409, 'The payment method is saved already'],
      'The customer has a saved payment method with this token: use that one.',
    )
    // another customer may have the same card
    expect((await shop.post(methods(shop.users.customer), { as: 'customer', body: card })).status).toBe(201)
  })

  it('has no field in which a card number fits', async () => {
    const number = '4111111111111111'
    const fields = { cardToken: number, brand: number, last4: number, expires: number }
    for (const [field, value] of Object.entries(fields)) {
      const body = { ...newCard(), [field]: value }
      const answer = await shop.post(methods(shop.users.customer), { as: 'customer', body })
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, `/body/${field}`])
      expect(answer.text).not.toContain(number)
    }
  })

  it('leaves no trace of its token when it is deleted', async () => {
    const user = shop.newUser()
    const card = newCard()
    const { id } = await shop.create(methods(user), { as: user, body: card })
    const found = () => tablesWith(shop.admin, card.cardToken)
    expect(await found()).toEqual(['customers.idempotency_keys', 'customers.payment_methods'])
    await shop.delete(`${methods(user)}/${id}`, { as: user })
    expect(await found()).toEqual([])
  })
})
