import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectInvalid, expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['customers'])
})
afterAll(() => shop.close())

const noCustomer = 'There is no customer with this id.'
const newEmail = () => `${randomUUID()}@example.com`
const keep = (body: object = {}) =>
  shop.create('/customers', { as: 'staff', body: { name: 'Grace', ...body } })

describe('the profile of a user', () => {
  it('comes to be on first use', async () => {
    const user = shop.newUser()
    const { body, headers } = await shop.get(`/customers/${user.id}`, { as: user })
    expect(body).toEqual({
      id: user.id,
      hasAccount: true,
      name: null,
      email: null,
      phone: null,
      language: 'en',
      taxId: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    })
    expect(headers.get('etag')).toBe('"1"')
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('can be changed at once, and only in what is given', async () => {
    const user = shop.newUser()
    const change = (body: object, ifMatch: string) =>
      shop.patch(`/customers/${user.id}`, { as: user, body, ifMatch })
    const first = { name: 'Ada', phone: '+34912345678', language: 'es', taxId: 'es b-12345678' }
    expect(await change(first, '"1"')).toMatchObject({
      status: 200,
      body: { ...first, taxId: 'ESB12345678' },
    })
    expect(await change({ phone: null }, '"2"')).toMatchObject({
      status: 200,
      body: { name: 'Ada', phone: null, language: 'es' },
    })
  })

  it('announces another language, and nothing else', async () => {
    const user = shop.newUser()
    const change = (body: object) => shop.patch(`/customers/${user.id}`, { as: user, body, ifMatch: '*' })
    for (const body of [
      { name: 'Ada' },
      { language: 'en' },
      { language: 'es' },
      { language: 'es' },
      { name: 'A' },
    ])
      expect((await change(body)).status).toBe(200)
    expect(await shop.emitted(user.id)).toMatchObject([
      { type: 'customer.language-changed', data: { userId: user.id, language: 'es' } },
    ])
  })

  it('needs an If-Match with the present version', async () => {
    const user = shop.newUser()
    const change = (ifMatch?: string) =>
      shop.patch(`/customers/${user.id}`, { as: user, body: { name: 'A' }, ...(ifMatch && { ifMatch }) })
    expect((await change()).status).toBe(428)
    expect((await change('"2"')).status).toBe(412)
    const answers = await Promise.all(Array.from({ length: 10 }, () => change('"1"')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9)
  })

  it('is nobody else’s: others get a 404, staff may read and change it', async () => {
    const user = shop.newUser()
    await shop.get(`/customers/${user.id}`, { as: user })
    for (const as of [shop.newUser(), shop.newUser('seller')]) {
      expectProblem(await shop.get(`/customers/${user.id}`, { as }), 'not-found', noCustomer)
      expectProblem(
        await shop.patch(`/customers/${user.id}`, { as, body: { name: 'X' }, ifMatch: '*' }),
        'not-found',
        noCustomer,
      )
    }
    for (const as of ['staff', 'admin'] as const)
      expect(
        await shop.patch(`/customers/${user.id}`, { as, body: { name: as }, ifMatch: '*' }),
      ).toMatchObject({ status: 200, body: { name: as } })
  })

  it('does not come to be because staff look for it', async () => {
    const user = shop.newUser()
    expectProblem(await shop.get(`/customers/${user.id}`, { as: 'staff' }), 'not-found', noCustomer)
  })

  it('points to each fault', async () => {
    const user = shop.newUser()
    const body = { name: ' ', phone: '912', language: 'fr', taxId: '-', email: 'x', role: 'admin' }
    const answer = await shop.patch(`/customers/${user.id}`, { as: user, body, ifMatch: '*' })
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      ['name', 'email', 'phone', 'language', 'taxId', 'role'].map((field) => `/body/${field}`),
    )
  })

  it('has no e-mail address of its own', async () => {
    const user = shop.newUser()
    expectOwnProblem(
      await shop.patch(`/customers/${user.id}`, { as: user, body: { email: newEmail() }, ifMatch: '*' }),
      'email-of-account',
      [409, 'The e-mail address belongs to the account'],
      'The customer has an account: change its e-mail address with PATCH /api/v1/users/{id}.',
    )
  })
})

describe('a customer without an account', () => {
  it('is added by staff, and answered once for each key', async () => {
    const email = `${randomUUID()}@EXAMPLE.com`
    const send = {
      as: 'staff',
      key: randomUUID(),
      body: { name: 'Grace', email, phone: '+34912345678', language: 'es', taxId: 'ESB12345678' },
    } as const
    const first = await shop.post('/customers', send)
    expect(first).toMatchObject({
      status: 201,
      body: { hasAccount: false, name: 'Grace', email: email.toLowerCase(), language: 'es' },
    })
    const { id } = first.body
    expect(first.headers.get('location')).toBe(`/api/v1/customers/${id}`)
    const again = await shop.post('/customers', send)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect((await shop.get(`/customers/${id}`, { as: 'admin' })).body).toEqual(first.body)
  })

  it('is added by nobody else', async () => {
    for (const as of ['customer', 'seller'] as const)
      expect((await shop.post('/customers', { as, body: { name: 'Grace' } })).status).toBe(403)
  })

  it('needs a name', async () =>
    expectInvalid(await shop.post('/customers', { as: 'staff', body: {} }), {
      pointer: '/body/name',
      detail: 'Invalid input: expected string, received undefined',
    }))

  it('has an e-mail address that no other has', async () => {
    const [email, other] = [newEmail(), newEmail()]
    await keep({ email })
    const { id } = await keep({ email: other })
    const taken = [
      await shop.post('/customers', { as: 'staff', body: { name: 'Ada', email } }),
      await shop.patch(`/customers/${id}`, { as: 'staff', body: { email }, ifMatch: '*' }),
    ]
    for (const answer of taken)
      expectOwnProblem(
        answer,
        'email-kept',
        [409, 'Another customer without an account has this e-mail address'],
        'Search for the customer with ?q= and use that record, or give another e-mail address.',
      )
    expect(
      await shop.patch(`/customers/${id}`, { as: 'staff', body: { email: null }, ifMatch: '*' }),
    ).toMatchObject({ status: 200, body: { email: null } })
  })

  it('is found by nobody but staff', async () => {
    const { id } = await keep()
    expectProblem(await shop.get(`/customers/${id}`, { as: shop.newUser() }), 'not-found', noCustomer)
  })

  it('chooses a language without an event, because nobody has an account to write to', async () => {
    const { id } = await keep()
    await shop.patch(`/customers/${id}`, { as: 'staff', body: { language: 'es' }, ifMatch: '*' })
    expect(await shop.emitted(id)).toEqual([])
  })
})

describe('the list of customers', () => {
  it('is searched by a part of the name or e-mail address, without wildcards', async () => {
    const mark = randomUUID()
    const named = await keep({ name: `100% ${mark}` })
    const mailed = await keep({ email: `${mark}@example.com` })
    const found = async (q: string) => {
      const { body } = await shop.get(`/customers?q=${encodeURIComponent(q)}`, { as: 'staff' })
      return body.items.map(({ id }: { id: string }) => id)
    }
    expect(await found(mark.toUpperCase())).toEqual([named.id, mailed.id])
    expect(await found(`0% ${mark}`)).toEqual([named.id])
    expect(await found(`%${mark}`)).toEqual([])
    expect(await found(`1_0% ${mark}`)).toEqual([])
  })

  it.each([
    ['createdAt', [0, 1, 2]],
    ['-createdAt', [2, 1, 0]],
    ['name', [1, 2, 0]],
  ] as const)('is sorted by %s, page by page', async (sort, order) => {
    const mark = randomUUID()
    const added: string[] = []
    for (const name of ['Zoë', 'ada', 'Álvaro']) added.push((await keep({ name: `${name} ${mark}` })).id)
    const seen: string[] = []
    let path: string | undefined = `/customers?q=${mark}&sort=${sort}&limit=1`
    while (path !== undefined) {
      const { body, headers } = await shop.get(path, { as: 'staff' })
      seen.push(...body.items.map(({ id }: { id: string }) => id))
      path = /<\/api\/v1([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    }
    expect(seen).toEqual(order.map((i) => added[i]))
  })

  it('is for staff only', async () => {
    for (const as of ['customer', 'seller'] as const)
      expect((await shop.get('/customers', { as })).status).toBe(403)
  })
})
