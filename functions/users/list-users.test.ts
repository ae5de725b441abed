import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAccount, password } from '../../test/accounts.ts'
import { forge } from '../../test/cursors.ts'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['users'])
  for (const [email, name, role] of [
    ['ada@example.com', 'Ada Lovelace', 'admin'],
    ['grace@example.com', 'Grace Hopper', 'staff'],
    ['barbara@example.com', 'Barbara Liskov', 'seller'],
    ['frances@example.com', 'Frances 100% Allen', 'customer'],
    ['twin-b@example.com', 'Twin', 'customer'],
    ['twin-a@example.com', 'Twin', 'customer'],
  ] as const)
    await newAccount(shop, role, name, email)
  const gone = await newAccount(shop, 'customer', 'Gone', 'gone@example.com')
  await shop.delete(gone.path, { as: gone, body: { currentPassword: password } })
})
afterAll(() => shop.close())

const list = (query: string) => shop.get(`/users${query}`, { as: 'admin' })

const emails = async (query: string) =>
  (await list(query)).body.items.map(({ email }: { email: string }) => email.split('@')[0])

it('lists users in the order of creation, without deleted ones', async () => {
  expect(await emails('')).toEqual(['ada', 'grace', 'barbara', 'frances', 'twin-b', 'twin-a'])
  expect((await list('')).headers.get('cache-control')).toBe('no-store')
})

it.each([
  ['-createdAt', ['twin-a', 'twin-b', 'frances', 'barbara', 'grace', 'ada']],
  ['email', ['ada', 'barbara', 'frances', 'grace', 'twin-a', 'twin-b']],
  ['-email', ['twin-b', 'twin-a', 'grace', 'frances', 'barbara', 'ada']],
  ['name', ['ada', 'barbara', 'frances', 'grace', 'twin-b', 'twin-a']],
  ['-name', ['twin-a', 'twin-b', 'grace', 'frances', 'barbara', 'ada']],
])('sorts by %s, also across pages', async (sort, expected) => {
  expect(await emails(`?sort=${sort}`)).toEqual(expected)
  const seen: string[] = []
  let next: string | null = `?sort=${sort}&limit=1`
  while (next !== null) {
    const { headers, body } = await list(next)
    seen.push(body.items[0].email.split('@')[0])
    next = /^<\/api\/v1\/users(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? null
    expect(body.next === undefined).toBe(next === null)
  }
  expect(seen).toEqual(expected)
})

it('finds by role and by a part of the name or e-mail address', async () => {
  expect(await emails('?role=staff')).toEqual(['grace'])
  expect(await emails('?q=LOVE')).toEqual(['ada'])
  expect(await emails('?q=twin-')).toEqual(['twin-b', 'twin-a'])
  expect(await emails('?q=twin&role=admin')).toEqual([])
})

it('treats wildcards of LIKE literally', async () => {
  expect(await emails(`?q=${encodeURIComponent('100%n')}`)).toEqual([])
  expect(await emails(`?q=${encodeURIComponent('100% A')}`)).toEqual(['frances'])
  expect(await emails('?q=_da')).toEqual([])
  expect(await emails(`?q=${encodeURIComponent('\\')}`)).toEqual([])
})

it.each(['?role=boss', '?sort=password', '?limit=0', '?limit=101', '?q=', '?who=ada', '?q=%00'])(
  'rejects %s',
  async (query) => expect((await list(query)).status).toBe(400),
)

it('rejects a forged cursor', async () => {
  const id = '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e'
  const { next } = (await list('?sort=name&limit=1')).body
  expect((await list(`?sort=name&cursor=${forge(next, 'a', id)}`)).status).toBe(200)
  for (const values of [[], ['a', 'b'], [1, id], ['\0', id]])
    expect((await list(`?sort=name&cursor=${forge(next, ...values)}`)).status).toBe(400)
})

it('sorts names as Intl.Collator does, also across pages', async () => {
  const names = [
    'Zoë',
    'émile',
    'Emil',
    'Øyvind',
    'Oyvind',
    'Öner',
    'Łukasz',
    'Lukas',
    'åsa',
    'de Vries',
    'Дарья',
    '陽子',
  ]
  for (const name of names) await newAccount(shop, 'customer', name, `${uuidv7()}@names.example`)
  for (const [sort, sorted] of [
    ['name', names.toSorted(new Intl.Collator('und').compare)],
    ['-name', names.toSorted(new Intl.Collator('und').compare).toReversed()],
  ] as const) {
    const seen: string[] = []
    let next: string | undefined
    do {
      const { body } = await list(`?q=@names.example&sort=${sort}&limit=5${next ? `&cursor=${next}` : ''}`)
      seen.push(...body.items.map(({ name }: { name: string }) => name))
      next = body.next
    } while (next !== undefined)
    expect(seen).toEqual(sorted)
  }
})

it('is allowed for admins only', async () => {
  for (const role of ['customer', 'seller', 'staff'] as const)
    expect((await shop.get('/users', { as: role })).status).toBe(403)
  expect((await shop.get('/users')).status).toBe(401)
})
