import { request as httpRequest, type Server } from 'node:http'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { importJWK, SignJWT } from 'jose'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations, type Domain, type InDomain, type OperationName } from '../functions/table.ts'
import type { OperationRow, Role } from '../functions/shared/domain.ts'
import { operationOf } from '../functions/source.ts'
import { generateKeys } from '../functions/users/tokens.ts'
import { audience, issuer } from '../functions/shared/auth/access-token.ts'
import { toServer } from '../functions/shared/process/serve-operation.ts'
import { listen, type Handler } from '../local/front.ts'
import { sendProblem } from '../local/activator/problem.ts'
import { checkAnswer } from './openapi.ts'
import { address, newOrder } from './orders.ts'
import { openSandbox } from './shop-with-sandbox.ts'
import { openShop, type Answered, type Send, type TestShop } from './shop.ts'

/**
 * What every operation answers to each bad input: the whole problem document. It is driven by the table and the
 * contracts, so that a new operation is covered by itself; where one needs more, a test says so.
 */

const contracts = new Map(
  await Promise.all(
    // keys of the table
    (Object.keys(operations) as OperationName[]).map(
      async (name) => [name, (await operationOf(name)).run.contract] as const,
    ),
  ),
)
const rows = Object.entries(operations) as [OperationName, InDomain<OperationRow>][]
const contractOf = (name: OperationName) => contracts.get(name)!
const those = (is: (row: InDomain<OperationRow>, contract: ReturnType<typeof contractOf>) => unknown) =>
  rows.filter(([name, row]) => is(row, contractOf(name)))
const roles: Role[] = ['customer', 'seller', 'staff', 'admin']

/** A good body for each operation that takes one, and another good one. */
const bodies: Partial<Record<OperationName, [body: object, another: object]>> = {
  'register-user': [
    { email: 'ada@example.com', name: 'Ada', password: 'correct horse battery' },
    { email: 'ada@example.com', name: 'Grace', password: 'correct horse battery' },
  ],
  'update-user': [{ name: 'Ada' }, { name: 'Grace' }],
  'log-in': [
    { email: 'nobody@example.com', password: 'wrong' },
    { email: 'nobody@example.com', password: 'w' },
  ],
  'refresh-session': [{ refreshToken: 'x' }, { refreshToken: 'y' }],
  'create-product': [
    { sku: 'POT', name: 'Pot', category: 'kitchen', price: { amount: 1200, currency: 'EUR' } },
    { sku: 'PAN', name: 'Pan', category: 'kitchen', price: { amount: 1500, currency: 'EUR' } },
  ],
  'update-product': [{ name: 'Mug' }, { name: 'Cup' }],
  'adjust-stock': [
    { quantity: 5, reason: 'received' },
    { quantity: 6, reason: 'received' },
  ],
  'create-order': [newOrder(), newOrder([{ sku: 'MUG', quantity: 3 }])],
  'update-order': [{ note: 'ring twice' }, { deliveryAddress: address }],
  'cancel-order': [{ reason: 'changed my mind' }, {}],
  'ship-order': [{ carrier: 'Bike courier' }, {}],
  'refund-payment': [{ reason: 'broken', amount: 100 }, { reason: 'lost' }],
}
const bodyOf = (name: OperationName) => bodies[name]![0]

let sandbox: Awaited<ReturnType<typeof openSandbox>>
let shop: TestShop
let server: Server
let port: number
/** What there is, by the path parameter of each operation: everything belongs to the customer, or the seller. */
let there: Record<'users' | 'products' | 'orders' | 'payments', string>
let handler: Handler

beforeAll(async () => {
  sandbox = await openSandbox()
  ;({ server, port } = await listen((request, response) => handler(request, response), 0))
  const domains: Record<Domain, true> = {
    users: true,
    products: true,
    stock: true,
    orders: true,
    payments: true,
  }
  shop = await openShop(Object.keys(domains) as Domain[], {
    FUNCTION_URL: `http://127.0.0.1:${port}`,
    PAYMENT_PROVIDER_URL: sandbox.url,
    PAYMENT_PROVIDER_KEY: sandbox.apiKey,
  })
  const functions = toServer(shop.app)
  handler = (request, response) => functions.emit('request', request, response)

  const made = async (answer: Promise<Answered>): Promise<string> => {
    const { status, body, text } = await answer
    if (status !== 201) throw new Error(text)
    return body.id as string
  }
  const mug = { sku: 'MUG', name: 'Mug', category: 'kitchen', price: { amount: 900, currency: 'EUR' } }
  const products = await made(shop.post('/products', { as: 'seller', body: mug }))
  await made(shop.post('/products', { as: 'seller', body: { ...mug, sku: 'CUP' } }))
  const account = { email: 'someone@example.com', name: 'Someone', password: 'correct horse battery' }
  const users = await made(shop.post('/users', { body: account }))
  await made(shop.post('/users', { body: { ...account, email: 'another@example.com' } }))
  const orders = await made(shop.post('/orders', { as: 'customer', body: newOrder() }))
  const orderId = uuidv7()
  const reserved = {
    orderId,
    customerId: shop.users.customer.id,
    total: { amount: 1800, currency: 'EUR' },
    cardToken: 'card_approved',
  }
  await shop.react('authorize-payment', 'stock.reserved', reserved)
  await shop.react('capture-payment', 'order.shipped', { orderId })
  const { body } = await shop.get(`/payments?orderId=${orderId}`, { as: 'customer' })
  there = { users, products, orders, payments: body.items[0].id }
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await shop.close()
  await sandbox.close()
})

/** The path of an operation, of what is there. */
const pathOf = (name: OperationName, id = there[operations[name].domain as keyof typeof there]) =>
  operations[name].path
    .replace('/api/v1', '')
    .replace('{id}', id)
    .replace('{sku}', () => (id === there[operations[name].domain as keyof typeof there] ? 'MUG' : id))

/** Someone who may call it, and whose everything is. */
function callerOf({ by, domain }: InDomain<OperationRow>): Pick<Send, 'as'> {
  if (by === 'anyone') return {}
  if (by !== 'user') return { as: by[0]! }
  return { as: domain === 'users' ? { ...shop.users.customer, id: there.users } : 'customer' }
}

const send = (name: OperationName, more: Send = {}, path = pathOf(name)): Promise<Answered> => {
  const row: InDomain<OperationRow> = operations[name]
  const { method } = row
  const good = contractOf(name).request.body ? { body: bodyOf(name) } : {}
  return shop[method](path, { ...callerOf(row), ...good, ...more })
}

/** Written out, since clients depend on them: they never change. */
const problems = {
  'invalid-request': [400, 'The request is not valid'],
  'idempotency-key-missing': [400, 'An Idempotency-Key header is needed'],
  'not-logged-in': [401, 'Log in first'],
  'wrong-credentials': [401, 'The e-mail address or password is wrong'],
  'session-ended': [401, 'The session has ended'],
  'wrong-role': [403, 'Your role may not do this'],
  'not-found': [404, 'There is no such resource'],
  'method-not-allowed': [405, 'The resource has no such method'],
  'stale-version': [412, 'The resource has changed since you read it'],
  'body-too-large': [413, 'The body is too large'],
  'not-json': [415, 'The body must be application/json'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'unknown-sku': [422, 'The shop has no such SKU'],
  'if-match-missing': [428, 'An If-Match header is needed'],
} as const

/** Checks the status, the type and every field of a problem. */
function expectProblem(
  answer: Answered,
  name: keyof typeof problems,
  detail: string,
  errors?: { pointer: string; detail: string }[],
) {
  const [status, title] = problems[name]
  expect({ status: answer.status, body: answer.body }).toEqual({
    status,
    body: {
      type: `https://zeroshop.dev/problems/${name}`,
      title,
      status,
      detail,
      ...(errors === undefined ? {} : { errors }),
    },
  })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
}

const expectInvalid = (answer: Answered, pointer: string, detail: string) =>
  expectProblem(answer, 'invalid-request', 'See `errors` for what to change.', [{ pointer, detail }])

/** A request over a real connection: what a client may do that `Request` does not let it. */
async function sendRaw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Iterable<Buffer>,
): Promise<Answered> {
  const request = httpRequest({ port, host: '127.0.0.1', method, path: `/api/v1${path}`, headers })
  for (const chunk of body) request.write(chunk)
  request.end()
  const [response] = await once(request, 'response')
  const answered = await text(response)
  const isJson = /json/.test(response.headers['content-type'])
  const answer = {
    status: response.statusCode,
    headers: new Headers(response.headers),
    text: answered,
    body: isJson ? JSON.parse(answered) : undefined,
  }
  checkAnswer(method, path, answer)
  return answer
}

describe('the tests', () => {
  it('have a good body for each operation that takes one', () => {
    const needed = those((_, { request }) => request.body).map(([name]) => name)
    expect(Object.keys(bodies).toSorted()).toEqual(needed.toSorted())
    for (const [name, good] of Object.entries(bodies))
      for (const body of good)
        expect(contractOf(name as OperationName).request.body!.safeParse(body)).toHaveProperty(
          'success',
          true,
        )
  })
})

describe('an address that there is not', () => {
  it.each(['/nothing', '/', '/users/x/y/z', '/Users', '/users/', '/orders//events', '/../users', '/%00'])(
    '%s is a 404',
    async (path) => expectProblem(await shop.get(path), 'not-found', 'No function has this path: see /docs.'),
  )

  it('is the same whatever the method', async () =>
    expectProblem(
      await shop.post('/nothing', { body: {} }),
      'not-found',
      'No function has this path: see /docs.',
    ))
})

describe('the local gateway', () => {
  it.each(['not-found', 'method-not-allowed'] as const)('answers %s as a function does', async (name) => {
    const before = handler
    handler = (_, response) => sendProblem(response, name)
    const response = await fetch(`http://127.0.0.1:${port}`)
    handler = before
    const [status, title] = problems[name]
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({
      type: `https://zeroshop.dev/problems/${name}`,
      title,
      status,
    })
  })
})

describe('a method that an address has not', () => {
  const byPath = Map.groupBy(rows, ([, row]) => row.path)
  it.each([...byPath])('of %s is a 405 that lists those that it has', async (path, has) => {
    const methods = has.map(([, { method }]) => method.toUpperCase())
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].toSorted().join(', ')
    const others = ['GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS'].filter((m) => !methods.includes(m))
    for (const method of others) {
      const response = await shop.app.request(path.replace(/\{\w+\}/, uuidv7()), { method })
      const answer = {
        status: response.status,
        headers: response.headers,
        text: '',
        body: await response.json(),
      }
      expectProblem(
        answer,
        'method-not-allowed',
        'This address takes other methods; the Allow header lists them.',
      )
      expect(response.headers.get('allow')).toBe(allow)
    }
  })
})

describe('who calls', () => {
  const missing = 'Send the access token as: Authorization: Bearer <token>.'
  const bad = 'The access token is not valid or has expired: refresh the session or log in again.'
  let refused: [authorization: string, detail: string][]
  let accepted: string

  beforeAll(async () => {
    const customer = shop.users.customer
    const good = await shop.sign(customer)
    const [head, payload, signature] = good.split('.') as [string, string, string]
    const [ours, theirs] = await Promise.all([
      importJWK(shop.privateKey, 'EdDSA'),
      generateKeys().then(({ privateKey }) => importJWK(privateKey, 'EdDSA')),
    ])
    const { kid, x } = (await shop.get('/.well-known/jwks.json')).body.keys[0]
    const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      sub: customer.id,
      role: 'admin',
      sid: customer.session,
      iss: issuer,
      aud: audience,
      exp: now + 60,
    }
    const forged = (changed: object, key: Parameters<SignJWT['sign']>[0], alg = 'EdDSA') =>
      new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg, kid }).sign(key)
    const tokens = [
      'garbage',
      'a.b.c',
      `${head}.${payload}.`,
      `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
      // another's role under a good signature
      `${head}.${base64(claims)}.${signature}`,
      `${base64({ alg: 'none' })}.${base64(claims)}.`,
      // the public key taken for a secret
      await forged({}, Buffer.from(x, 'base64url'), 'HS256'),
      // signed with another key, and naming ours
      await forged({}, theirs),
      await forged({ exp: now - 1 }, ours),
      await forged({ exp: undefined }, ours),
      await forged({ nbf: now + 60 }, ours),
      await forged({ sub: undefined }, ours),
      await forged({ role: undefined }, ours),
      await forged({ sid: undefined }, ours),
      await forged({ aud: 'another-shop' }, ours),
      await forged({ iss: 'https://example.com' }, ours),
    ]
    refused = [
      ['', missing],
      ['Bearer', missing],
      ['Basic YWRhOnNlY3JldA==', missing],
      [`Token ${good}`, missing],
      [`Bearer ${good} ${good}`, missing],
      ...tokens.map((token): [string, string] => [`Bearer ${token}`, bad]),
    ]
    accepted = `Bearer ${await forged({}, ours)}`
  })

  it('is told by a token like those that are refused below', async () =>
    expect(await shop.get('/users', { headers: { authorization: accepted } })).toMatchObject({ status: 200 }))

  it.each(those(({ by }) => by !== 'anyone'))('must be told to %s', async (name, { method }) => {
    const good = contractOf(name).request.body ? { body: bodyOf(name) } : {}
    expectProblem(await shop[method](pathOf(name), good), 'not-logged-in', missing)
  })

  it.each(rows)('must be told to %s with a token that is good', async (name, { method }) => {
    const good = contractOf(name).request.body ? { body: bodyOf(name) } : {}
    for (const [authorization, detail] of refused)
      expectProblem(
        await shop[method](pathOf(name), { ...good, headers: { authorization } }),
        'not-logged-in',
        detail,
      )
  })

  const refusals = rows.flatMap(([name, { by }]) =>
    typeof by === 'string'
      ? []
      : roles.filter((role) => !by.includes(role)).map((role) => [name, role, by] as const),
  )
  it.each(refusals)('must have a role that may: %s as %s', async (name, role, by) =>
    expectProblem(await send(name, { as: role }), 'wrong-role', `This needs the role ${by.join(' or ')}.`),
  )
})

describe('a path', () => {
  const bad: Record<string, [values: string[], detail: string]> = {
    id: [
      ['x', '1', '%20', '%ff', '%zz', 'null', '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4', "'--"],
      'Invalid UUID',
    ],
    sku: [
      ['-', '%20', 'a%2Fb', '%00', '%ff', 'ä', 'a'.repeat(65)],
      'letters, digits, dot, dash and underscore, at most 64',
    ],
  }

  it.each(those((_, { request }) => request.params))(
    'is refused where its parameter is not good: %s',
    async (name, { path }) => {
      const [, parameter] = /\{(\w+)\}/.exec(path)!
      const [values, detail] = bad[parameter!]!
      for (const value of values)
        expectInvalid(await send(name, {}, pathOf(name, value)), `/path/${parameter}`, detail)
    },
  )

  const details: Record<string, string> = {
    users: 'There is no such user.',
    products: 'The shop has no such product.',
    stock: 'The shop has no such SKU.',
    orders: 'There is no order with this id.',
    payments: 'There is no payment with this id.',
  }
  it.each(those((_, { request }) => request.params))(
    'is refused where there is nothing: %s',
    async (name, { by, domain }) => {
      const as = by === 'anyone' ? {} : { as: typeof by === 'string' ? ('admin' as const) : by.at(-1)! }
      expectProblem(
        await send(name, { ...as, ifMatch: '"1"' }, pathOf(name, uuidv7())),
        'not-found',
        details[domain]!,
      )
    },
  )
})

describe('a query', () => {
  const lists = () => those((_, { request }) => request.query)
  let cursors: Map<string, string>
  beforeAll(async () => {
    const [products, users] = await Promise.all([
      shop.get('/products?limit=1'),
      shop.get('/users?limit=1', { as: 'admin' }),
    ])
    cursors = new Map([
      ['/products', products.body.next],
      ['/users', users.body.next],
      // the place of an order, as the list of another would remember it
      ['/orders', Buffer.from(JSON.stringify([uuidv7()])).toString('base64url')],
    ])
  })

  const wrong: [query: string, pointer: string, detail: string][] = [
    ['limit=0', '/query/limit', 'Too small: expected number to be >=1'],
    ['limit=-1', '/query/limit', 'Too small: expected number to be >=1'],
    ['limit=1e9', '/query/limit', 'Too big: expected number to be <=100'],
    ['limit=1.5', '/query/limit', 'Invalid input: expected int, received number'],
    ['limit=many', '/query/limit', 'Invalid input: expected number, received NaN'],
    ['colour=red', '/query/colour', 'there is no such field'],
    ['a%2Fb~c=1', '/query/a~1b~0c', 'there is no such field'],
  ]
  it.each(lists())('is refused where it is not good: %s', async (name) => {
    for (const [query, pointer, detail] of wrong)
      expectInvalid(await send(name, {}, `${pathOf(name)}?${query}`), pointer, detail)
    expectInvalid(
      await send(name, {}, `${pathOf(name)}?cursor=${'a'.repeat(1_501)}`),
      '/query/cursor',
      'Too big: expected string to have <=1500 characters',
    )
  })

  it.each(lists())('is refused where its cursor is none, or of another list: %s', async (name) => {
    const others = [...cursors].filter(([path]) => path !== pathOf(name)).map(([, cursor]) => cursor)
    const none = ['nonsense', 'e30', 'W10', 'bnVsbA', '%F0%9F%A5%A3', '%00']
    for (const cursor of [...others, ...none])
      expectProblem(
        await send(name, {}, `${pathOf(name)}?cursor=${cursor}`),
        'invalid-request',
        'The cursor is not one of this list: start again without it.',
        [{ pointer: '/query/cursor', detail: 'not a cursor of this list' }],
      )
  })

  it('with two faults is told both', async () =>
    expectProblem(
      await shop.get('/orders?limit=0&sort=price', { as: 'customer' }),
      'invalid-request',
      'See `errors` for what to change.',
      [
        { pointer: '/query/limit', detail: 'Too small: expected number to be >=1' },
        { pointer: '/query/sort', detail: 'Invalid option: expected one of "newest"|"oldest"' },
      ],
    ))
})

describe('a body', () => {
  const taking = those((_, { request }) => request.body)
  const notJson = 'The body is not valid JSON.'
  const nested = (n: number) => '['.repeat(n) + ']'.repeat(n)
  const unreadable: [what: string, body: string, detail: string][] = [
    ['empty', '', notJson],
    ['cut off', '{"name": "A', notJson],
    ['with a trailing comma', '{"name":"Ada",}', notJson],
    ['of two documents', '{}{}', notJson],
    ['of bytes that are no UTF-8', '\u00ff\u00fe', notJson],
    ['nested 10,000 deep', nested(10_000), 'The body nests deeper than 32 levels.'],
    ['nested 10,000 deep in a field', `{"a":${nested(10_000)}}`, 'The body nests deeper than 32 levels.'],
    [
      'of objects nested 10,000 deep',
      `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      'The body nests deeper than 32 levels.',
    ],
  ]

  it.each(taking)('must be JSON, and be said to be: %s', async (name) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'json', ''])
      expectProblem(
        await send(name, { headers: { 'content-type': type } }),
        'not-json',
        'Send the body with Content-Type: application/json.',
      )
  })

  it.each(taking)('must be readable: %s', async (name) => {
    for (const [, body, detail] of unreadable)
      expectProblem(await send(name, { body }), 'invalid-request', detail, [{ pointer: '/body', detail }])
  })

  it.each(taking)('must be there: %s', async (name) =>
    expectProblem(
      await send(name, { body: undefined, headers: { 'content-type': 'application/json' } }),
      'invalid-request',
      notJson,
      [{ pointer: '/body', detail: notJson }],
    ),
  )

  it.each(taking)('must be an object: %s', async (name) => {
    for (const [body, received] of [
      ['[]', 'array'],
      ['null', 'null'],
      ['"text"', 'string'],
      ['1', 'number'],
    ] as const)
      expectInvalid(
        await send(name, { body }),
        '/body',
        `Invalid input: expected object, received ${received}`,
      )
  })

  it.each(taking)('has no field that is not known: %s', async (name) => {
    const good = bodyOf(name)
    for (const [field, pointer] of [
      ['colour', '/body/colour'],
      ['a/b~c', '/body/a~1b~0c'],
      ['constructor', '/body/constructor'],
    ] as const)
      expectInvalid(
        await send(name, { body: JSON.stringify({ ...good, [field]: 1 }) }),
        pointer,
        'there is no such field',
      )
    const body = JSON.stringify(good).replace(
      /\}$/,
      `${Object.keys(good).length > 0 ? ',' : ''}"__proto__":{}}`,
    )
    expectInvalid(await send(name, { body }), '/body/__proto__', 'there is no such field')
  })

  const large = Buffer.alloc(100 * 1024 + 1, ' ')
  function* pieces() {
    for (let from = 0; from < large.length; from += 16_000) yield large.subarray(from, from + 16_000)
  }
  it.each(those(({ method }) => method !== 'get'))('may not be too large: %s', async (name, { method }) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'large' }
    const path = pathOf(name)
    const sized = { ...headers, 'content-length': String(large.length) }
    const tooLarge = 'Send at most 100 KiB.'
    expectProblem(await sendRaw(method.toUpperCase(), path, sized, [large]), 'body-too-large', tooLarge)
    const chunked = { ...headers, 'transfer-encoding': 'chunked' }
    expectProblem(await sendRaw(method.toUpperCase(), path, chunked, pieces()), 'body-too-large', tooLarge)
  })

  it.each([
    ['of a length that is said', 'content-length: 5000000', 'x'.repeat(1_000_000), ''],
    [
      'in chunks',
      'transfer-encoding: chunked',
      `${(1_000_000).toString(16)}\r\n${'x'.repeat(1_000_000)}\r\n`,
      '0\r\n\r\n',
    ],
  ])(
    'leaves its connection to the next request, however large and slow it was: %s',
    async (_, header, piece, end) => {
      const socket = connect(port, '127.0.0.1')
      const post = 'POST /api/v1/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
      socket.write(`${post}${header}\r\n\r\n`)
      for (let sent = 0; sent < 5; sent++) {
        socket.write(piece)
        await pause(200)
      }
      socket.end(`${end}${post}content-length: 2\r\nconnection: close\r\n\r\n{}`)
      const answers = await text(socket)
      expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 401'])
    },
  )

  it.each(taking)('may be as large as it may: %s', async (name, row) => {
    const { as } = callerOf(row)
    const user = typeof as === 'string' ? shop.users[as] : as
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': 'large',
      ...(user === undefined ? {} : { authorization: `Bearer ${await shop.sign(user)}` }),
    }
    const path = pathOf(name)
    for (const more of [{ 'content-length': String(large.length - 1) }, { 'transfer-encoding': 'chunked' }])
      expectProblem(
        await sendRaw(row.method.toUpperCase(), path, { ...headers, ...more }, [large.subarray(1)]),
        'invalid-request',
        notJson,
        [{ pointer: '/body', detail: notJson }],
      )
  })
})

describe('an Idempotency-Key', () => {
  const idempotent = those(({ idempotent }) => idempotent)

  it.each(idempotent)('must be there, and be one: %s', async (name) => {
    for (const key of [null, '', ' ', 'a b', 'ключ'.replaceAll(/./g, 'é'), '\u0001', 'x'.repeat(101)])
      expectProblem(
        await send(name, { key }),
        'idempotency-key-missing',
        'Send a new random key, such as a UUID, with each new request and the same one with a retry.',
        [{ pointer: '/header/idempotency-key', detail: '1 to 100 visible ASCII characters' }],
      )
  })

  it.each(idempotent)('is good for one request: %s', async (name) => {
    const [body, another] = bodies[name]!
    const key = uuidv7()
    const first = await send(name, { key, body })
    expect([first.status, first.text]).toEqual([201, expect.any(String)])
    expectProblem(
      await send(name, { key, body: another }),
      'idempotency-key-reused',
      'Send a new key with a new request; the same key only with the very same body.',
    )
    expect((await send(name, { key, body })).text).toBe(first.text)
  })
})

describe('an If-Match', () => {
  const stale = 'Read the resource again and apply your change to what is there.'
  const needed = those((_, { problems }) => problems?.includes('if-match-missing'))
  const taken = those((_, { problems }) => problems?.includes('stale-version'))

  it.each(needed)('must be there: %s', async (name) =>
    expectProblem(await send(name), 'if-match-missing', 'Read the resource and send its ETag as If-Match.'),
  )

  it.each(taken)('must name the version that there is: %s', async (name) => {
    for (const ifMatch of [
      '"0"',
      '"99"',
      '"-1"',
      '1',
      'W/"1"',
      '"1", "2"',
      '"one"',
      '"1e0"',
      '',
      '"9999999999999999"',
    ])
      expectProblem(await send(name, { ifMatch }), 'stale-version', stale)
  })
})

describe('what only one operation is sent', () => {
  it('a wrong e-mail address or password', async () =>
    expectProblem(await send('log-in'), 'wrong-credentials', 'Check both, or register first.'))

  it('a refresh token that is none', async () =>
    expectProblem(await send('refresh-session'), 'session-ended', 'Log in again.'))

  it('a SKU that there is not', async () =>
    expectProblem(
      await send('create-order', {
        body: newOrder([
          { sku: 'MUG', quantity: 1 },
          { sku: 'NONE', quantity: 1 },
        ]),
      }),
      'unknown-sku',
      'There is no product NONE.',
      [{ pointer: '/body/lines/1/sku', detail: 'There is no product NONE.' }],
    ))

  it('faults in the depth of a body', async () =>
    expectProblem(
      await send('create-order', {
        body: {
          ...newOrder([{ sku: '-', quantity: 0 }]),
          deliveryAddress: { ...address, country: 'Germany', planet: 'Earth' },
        },
      }),
      'invalid-request',
      'See `errors` for what to change.',
      [
        {
          pointer: '/body/lines/0/sku',
          detail: 'letters, digits, dot, dash and underscore, at most 64',
        },
        { pointer: '/body/lines/0/quantity', detail: 'Too small: expected number to be >=1' },
        { pointer: '/body/deliveryAddress/country', detail: 'an ISO 3166-1 code such as DE' },
        { pointer: '/body/deliveryAddress/planet', detail: 'there is no such field' },
      ],
    ))

  it('more faults than can be told', async () => {
    const lines = Array.from({ length: 50 }, () => ({ sku: '-', quantity: 1 }))
    const { status, body } = await send('create-order', { body: newOrder(lines) })
    expect([status, body.errors.length]).toEqual([400, 20])
  })
})
