import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { address } from '../../demo/client/orders.ts'
import { secrets } from '../../events/tables.ts'
import { tablesWith } from '../../test/contents.ts'
import { expectInvalid, expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { openPostgres, type Db } from '../shared/store/postgres.ts'
import { hashOf } from './claim.ts'
import { claims } from './customer.ts'
import { newCard } from './fixtures.ts'

let shop: TestShop
/** Reads what is left for other domains. */
let all: Db
beforeAll(async () => {
  shop = await openShop(['customers'])
  all = openPostgres(shop.admin)
})
afterAll(async () => {
  await all.close()
  await shop.close()
})

const newEmail = () => `${randomUUID()}@example.com`

/** Adds a customer without an account. */
const keep = async (body: object = {}) => {
  const email = newEmail()
  const { id } = await shop.create('/customers', { as: 'staff', body: { name: 'Grace', email, ...body } })
  return { id: id as string, email }
}

const ask = (email: string, as: User = shop.users.staff) =>
  shop.post('/customer-claims/requests', { as, body: { email }, key: null })

const claim = (as: User, token: string) => shop.post('/customer-claims', { as, body: { token }, key: null })

/** Returns the tokens that were left for the mails to a customer, oldest first. */
async function tokensFor(customerId: string): Promise<string[]> {
  const events = await shop.emitted(customerId)
  const tokens: string[] = []
  for (const { type, data } of events)
    if (type === 'customer.claim-requested') {
      const { requestId } = data as { requestId: string }
      const [left] = await all.select().from(secrets).where(eq(secrets.subject, requestId))
      expect(left!.recipient).toBe('notifications')
      tokens.push((JSON.parse(left!.secret) as { token: string }).token)
    }
  return tokens
}

/** Requests a claim and returns its token. */
async function tokenFor({ id, email }: { id: string; email: string }): Promise<string> {
  expect((await ask(email)).status).toBe(202)
  return (await tokensFor(id)).at(-1)!
}

/** Puts the time of a customer's open claim back. */
const age = (customerId: string, ms: number) =>
  shop
    .deps('customers')
    .db.update(claims)
    .set({ requestedAt: new Date(Date.now() - ms) })
    .where(eq(claims.customerId, customerId))

const day = 24 * 60 * 60 * 1000

describe('a request for a claim', () => {
  it('leaves the address and a token for the mail, and keeps only a hash', async () => {
    const { id, email } = await keep()
    expect(await ask(email.toUpperCase())).toMatchObject({ status: 202, body: { email } })
    const [event] = await shop.emitted(id)
    expect(event).toMatchObject({
      type: 'customer.claim-requested',
      subject: id,
      data: { customerId: id, requestId: expect.any(String) },
    })
    const { requestId } = event!.data as { requestId: string }
    const [left] = await all.select().from(secrets).where(eq(secrets.subject, requestId))
    const { email: to, token } = JSON.parse(left!.secret) as { email: string; token: string }
    expect(to).toBe(email)
    expect(await tablesWith(shop.admin, token)).toEqual(['events.secrets'])
    expect(await tablesWith(shop.admin, hashOf(token))).toEqual(['customers.claims'])
  })

  it('does not tell whether there is such a customer, whoever asks', async () => {
    const { email } = await keep()
    for (const as of [shop.newUser(), shop.users.staff])
      for (const asked of [email, newEmail()])
        expect(await ask(asked, as)).toMatchObject({ status: 202, text: JSON.stringify({ email: asked }) })
  })

  it('sends one mail a minute at most', async () => {
    const { id, email } = await keep()
    await Promise.all(Array.from({ length: 5 }, () => ask(email, shop.newUser())))
    expect(await tokensFor(id)).toHaveLength(1)
    await age(id, 60_000)
    await ask(email)
    expect(await tokensFor(id)).toHaveLength(2)
  })
})

describe('a claim', () => {
  it('merges what staff keep into the account, and leaves nothing of it', async () => {
    const note = randomUUID()
    const kept = await keep({
      name: `Grace ${note}`,
      phone: '+34912345678',
      language: 'es',
      taxId: 'ESB12345678',
    })
    const work = { label: `work ${note}`, address }
    const saved = await shop.create(`/customers/${kept.id}/addresses`, { as: 'staff', body: work })
    const card = await shop.create(`/customers/${kept.id}/payment-methods`, { as: 'staff', body: newCard() })
    const user = shop.newUser()
    await shop.patch(`/customers/${user.id}`, { as: user, body: { phone: '+15551234567' }, ifMatch: '*' })

    const answer = await claim(user, await tokenFor(kept))
    expect(answer).toMatchObject({
      status: 200,
      body: {
        id: user.id,
        hasAccount: true,
        name: `Grace ${note}`,
        email: null,
        phone: '+15551234567',
        language: 'es',
        taxId: 'ESB12345678',
      },
    })
    expect((await shop.get(`/customers/${user.id}`, { as: user })).body).toEqual(answer.body)
    const read = async (kind: string) =>
      (await shop.get(`/customers/${user.id}/${kind}`, { as: user })).body.items
    expect(await read('addresses')).toMatchObject([{ id: saved.id, label: work.label, isDefault: true }])
    expect(await read('payment-methods')).toMatchObject([{ id: card.id, isDefault: true }])
    expectProblem(
      await shop.get(`/customers/${kept.id}`, { as: 'staff' }),
      'not-found',
      'There is no customer with this id.',
    )
    expect(await tablesWith(shop.admin, note)).toEqual(['customers.addresses', 'customers.customers'])
    const types = (await shop.emitted(kept.id)).map(({ type, data }) => [type, data])
    expect(types.at(-1)).toEqual(['customer.claimed', { customerId: kept.id, userId: user.id }])
    expect(await shop.emitted(user.id)).toMatchObject([
      { type: 'customer.language-changed', data: { userId: user.id, language: 'es' } },
    ])
  })

  it('is also made by who never had a profile, and frees the e-mail address for another customer', async () => {
    const kept = await keep()
    expect((await claim(shop.newUser(), await tokenFor(kept))).status).toBe(200)
    expect(
      (await shop.post('/customers', { as: 'staff', body: { name: 'A', email: kept.email } })).status,
    ).toBe(201)
  })

  it('takes over as many addresses and payment methods as there is room for, and no token twice', async () => {
    const kept = await keep()
    const user = shop.newUser()
    const card = newCard()
    const save = (id: string, kind: string, body: object) =>
      shop.create(`/customers/${id}/${kind}`, { as: 'staff', body })
    await shop.get(`/customers/${user.id}`, { as: user })
    for (let n = 0; n < 12; n++) {
      await save(user.id, 'addresses', { label: `own ${n}`, address })
      await save(kept.id, 'addresses', { label: `kept ${n}`, address, isDefault: true })
    }
    for (const id of [user.id, kept.id]) {
      await save(id, 'payment-methods', card)
      await save(id, 'payment-methods', newCard())
    }
    await claim(user, await tokenFor(kept))
    const { body } = await shop.get(`/customers/${user.id}/addresses?limit=100`, { as: user })
    const labels = (body.items as { label: string; isDefault: boolean }[]).map(({ label }) => label)
    expect(labels.filter((label) => label.startsWith('own'))).toHaveLength(12)
    expect(labels.filter((label) => label.startsWith('kept')).toSorted()).toEqual(
      Array.from({ length: 8 }, (_, n) => `kept ${n}`),
    )
    expect(
      (body.items as { label: string; isDefault: boolean }[]).filter(({ isDefault }) => isDefault),
    ).toMatchObject([{ label: 'own 0' }])
    const methods = await shop.get(`/customers/${user.id}/payment-methods`, { as: user })
    expect(methods.body.items).toHaveLength(3)
  })

  it('is answered again to a retry, and changes nothing then', async () => {
    const kept = await keep()
    const user = shop.newUser()
    const token = await tokenFor(kept)
    const answers = await Promise.all(Array.from({ length: 5 }, () => claim(user, token)))
    for (const { status, text } of answers) expect([status, text]).toEqual([200, answers[0]!.text])
    const claimed = (await shop.emitted(kept.id)).filter(({ type }) => type === 'customer.claimed')
    expect(claimed).toHaveLength(1)
  })

  it('is made by one of many who have the link', async () => {
    const kept = await keep()
    const token = await tokenFor(kept)
    const answers = await Promise.all(Array.from({ length: 5 }, () => claim(shop.newUser(), token)))
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused).toHaveLength(4)
    for (const answer of refused)
      expectOwnProblem(
        answer,
        'claim-used',
        [409, 'The link was used already'],
        'Somebody has claimed this record with another account. If that was not you, ask the shop.',
      )
  })

  it('needs the newest link, within seven days', async () => {
    const kept = await keep()
    const user = shop.newUser()
    const refusal = (detail: string) => ['claim-not-valid', [422, 'The link is not valid'], detail] as const
    const unknown = refusal('It is not known: open the newest link that you were sent.')
    expectOwnProblem(await claim(user, 'x'.repeat(43)), ...unknown)
    const first = await tokenFor(kept)
    await age(kept.id, day)
    const second = await tokenFor(kept)
    expectOwnProblem(await claim(user, first), ...unknown)
    await age(kept.id, 7 * day)
    expectOwnProblem(
      await claim(user, second),
      ...refusal('It has expired after seven days: ask for another.'),
    )
    await age(kept.id, 7 * day - 60_000)
    expect((await claim(user, second)).status).toBe(200)
  })

  it('needs a login and a token', async () => {
    expect((await shop.post('/customer-claims', { body: { token: 'x'.repeat(43) }, key: null })).status).toBe(
      401,
    )
    expectInvalid(await claim(shop.newUser(), 'x'), {
      pointer: '/body/token',
      detail: 'the token of the link: 43 letters, digits, dashes and underscores',
    })
  })
})

describe('a deleted customer without an account', () => {
  it('leaves no trace, cannot be claimed, and is announced once', async () => {
    const mark = randomUUID()
    const kept = await keep({ name: mark })
    await shop.create(`/customers/${kept.id}/addresses`, { as: 'staff', body: { label: mark, address } })
    await shop.create(`/customers/${kept.id}/payment-methods`, { as: 'staff', body: newCard() })
    const token = await tokenFor(kept)
    expect((await shop.delete(`/customers/${kept.id}`, { as: 'staff', ifMatch: '"2"' })).status).toBe(412)
    expect((await shop.delete(`/customers/${kept.id}`, { as: 'staff', ifMatch: '"1"' })).status).toBe(204)
    expectProblem(
      await shop.delete(`/customers/${kept.id}`, { as: 'staff' }),
      'not-found',
      'There is no customer with this id.',
    )
    expect(await tablesWith(shop.admin, mark)).toEqual([])
    expect(await tablesWith(shop.admin, kept.id)).toEqual(['customers.customers', 'events.outbox'])
    expect((await claim(shop.newUser(), token)).status).toBe(422)
    const deleted = (await shop.emitted(kept.id)).filter(({ type }) => type === 'customer.deleted')
    expect(deleted).toMatchObject([{ data: { customerId: kept.id } }])
  })

  it('is deleted by staff, who cannot delete an account that way', async () => {
    const user = shop.newUser()
    await shop.get(`/customers/${user.id}`, { as: user })
    expect((await shop.delete(`/customers/${user.id}`, { as: user })).status).toBe(403)
    expectOwnProblem(
      await shop.delete(`/customers/${user.id}`, { as: 'staff' }),
      'has-account',
      [409, 'The customer has an account'],
      'The customer has an account: delete that with DELETE /api/v1/users/{id}.',
    )
  })
})

describe('a deleted user', () => {
  const forget = (userId: string) => shop.react('forget-profile', 'user.deleted', { userId })

  it('leaves no trace, neither of their own nor in what is kept for retries of staff', async () => {
    const mark = randomUUID()
    const kept = await keep({ name: mark })
    const user = shop.newUser()
    await claim(user, await tokenFor(kept))
    for (const as of [user, shop.users.staff]) {
      await shop.create(`/customers/${user.id}/addresses`, { as, body: { label: mark, address } })
      await shop.create(`/customers/${user.id}/payment-methods`, { as, body: newCard() })
    }
    await forget(user.id)
    expect(await tablesWith(shop.admin, mark)).toEqual([])
    const tables = (await tablesWith(shop.admin, user.id)).filter((table) => table.startsWith('customers.'))
    expect(tables).toEqual(['customers.customers'])
  })

  it('is not brought back by a request that is late', async () => {
    const [known, unknown] = [shop.newUser(), shop.newUser()]
    await shop.get(`/customers/${known.id}`, { as: known })
    for (const user of [known, unknown]) {
      await forget(user.id)
      for (const answer of [
        await shop.get(`/customers/${user.id}`, { as: user }),
        await shop.patch(`/customers/${user.id}`, { as: user, body: { name: 'Ada' }, ifMatch: '*' }),
        await shop.post(`/customers/${user.id}/addresses`, { as: user, body: { label: 'home', address } }),
      ])
        expectProblem(answer, 'not-found', 'There is no customer with this id.')
      const kept = await keep()
      expectProblem(await claim(user, await tokenFor(kept)), 'session-ended', 'Log in again.')
    }
  })
})
