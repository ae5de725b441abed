import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { and, eq, inArray, like } from 'drizzle-orm'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { linesIn } from '../../test/openapi.ts'
import { listen } from '../../local/front.ts'
import { openShop, type Send, type TestShop } from '../../test/shop.ts'
import { toServer } from '../shared/process/serve-operation.ts'
import { adjustments, idempotencyKeys, items } from './stock.ts'
import { stocked } from './fixtures.ts'

let shop: TestShop
let port: number
beforeAll(async () => {
  shop = await openShop(['stock', 'products'], {}, { collects: false })
  const functions = toServer(shop.app)
  const front = await listen((req, res) => functions.emit('request', req, res), 0)
  port = front.port
  closeFront = () => {
    front.server.close()
    front.server.closeAllConnections()
  }
})
let closeFront = () => {}
afterAll(async () => {
  closeFront()
  await shop.close()
})

const db = () => shop.deps('stock').db
const available = async (skus: readonly string[]) => {
  const rows = await db()
    .select()
    .from(items)
    .where(inArray(items.sku, [...skus]))
  return skus.map((sku) => rows.find((row) => row.sku === sku)?.available)
}
const adjustmentsOf = (sku: string) => db().select().from(adjustments).where(eq(adjustments.sku, sku))

const ndjson = (...lines: unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const received = (sku: string, quantity = 1) => ({ sku, quantity, reason: 'received' })
const path = '/stock/adjustments'
const send = async (
  body: string,
  { type = 'application/x-ndjson', ...more }: Send & { type?: string } = {},
) => {
  const headers = { 'content-type': type, ...more.headers }
  const { status, text, headers: answered } = await shop.post(path, { as: 'seller', ...more, body, headers })
  return { status, headers: answered, answers: status === 200 ? linesIn(text) : [JSON.parse(text)] }
}
const brief = (answers: Record<string, unknown>[]) =>
  answers.map(({ line, status, type }) => [
    line,
    status,
    ...(typeof type === 'string' ? [type.split('/').at(-1)] : []),
  ])

describe('adjust-stocks', () => {
  it('adjusts each line of NDJSON, and answers each', async () => {
    const [a, b] = await stocked(shop, 1, 2)
    const { status, headers, answers } = await send(
      ndjson(
        received(a!, 5),
        { sku: b!.toLowerCase(), quantity: -2, reason: 'lost', note: 'Gone' },
        received(a!),
      ),
    )
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    const id = expect.any(String)
    expect(answers).toEqual([
      { line: 1, status: 'done', sku: a, adjustmentId: id, available: 6 },
      { line: 2, status: 'done', sku: b, adjustmentId: id, available: 0 },
      { line: 3, status: 'done', sku: a, adjustmentId: id, available: 7 },
      { status: 'finished', done: 3, refused: 0 },
    ])
    expect(await available([a!, b!])).toEqual([7, 0])
    expect((await adjustmentsOf(b!)).at(-1)).toMatchObject({
      id: answers[1].adjustmentId,
      quantity: -2,
      reason: 'lost',
      note: 'Gone',
      userId: shop.users.seller.id,
    })
  })

  it('takes CSV with the columns in any order', async () => {
    const [a, b] = await stocked(shop, 1, 2)
    const csv = `quantity,reason,sku,note\r\n5,received,${a},"Delivery 7, late"\r\n\r\n-1,damaged,${b},\r\n`
    const { answers } = await send(csv, { type: 'text/csv; charset=utf-8' })
    expect(brief(answers)).toEqual([
      [2, 'done'],
      [4, 'done'],
      [undefined, 'finished'],
    ])
    expect(await available([a!, b!])).toEqual([6, 1])
    expect((await adjustmentsOf(a!)).at(-1)).toMatchObject({ note: 'Delivery 7, late' })
  })

  it('refuses bad lines with their problems, and does the others', async () => {
    const [a] = await stocked(shop, 3)
    const { answers } = await send(
      [
        JSON.stringify(received(a!)),
        '{"sku":',
        JSON.stringify({ ...received(a!), quantity: 0, colour: 'red' }),
        JSON.stringify(received('NONE')),
        JSON.stringify({ sku: a, quantity: -5, reason: 'lost' }),
        `{"sku":"${a}","quantity":1,"reason":"received","note":"a\\u0000b"}`,
        '['.repeat(100) + ']'.repeat(100),
        'x'.repeat(70_000),
        JSON.stringify({ sku: a, quantity: -4, reason: 'lost' }),
      ].join('\n'),
    )
    expect(brief(answers)).toEqual([
      [1, 'done'],
      [2, 'refused', 'invalid-request'],
      [3, 'refused', 'invalid-request'],
      [4, 'refused', 'store-unavailable'],
      [5, 'refused', 'stock-too-low'],
      [6, 'refused', 'invalid-request'],
      [7, 'refused', 'invalid-request'],
      [8, 'refused', 'invalid-request'],
      [9, 'done'],
      [undefined, 'finished'],
    ])
    expect(answers[2].errors).toContainEqual({ pointer: '/line/colour', detail: 'there is no such field' })
    expect(answers[4].detail).toBe(`4 of ${a} are available.`)
    expect(answers.at(-1)).toMatchObject({ done: 2, refused: 7 })
    expect(await available([a!])).toEqual([0])
  })

  it('announces the availability that the lines lead to', async () => {
    const [a] = await stocked(shop, 0)
    await send(ndjson(received(a!, 2), received(a!, 2), received(a!, 20)))
    expect(await shop.emitted(a)).toMatchObject([{ data: { availability: 'available', version: 2 } }])
  })

  it('lets sellers adjust their own SKUs only, and staff all', async () => {
    const [a] = await stocked(shop, 0)
    const line = ndjson(received(a!))
    expect((await send(line, { as: shop.newUser('seller') })).answers[0]).toMatchObject({
      status: 'refused',
      detail: 'The shop has no such SKU.',
    })
    expect((await send(line, { as: 'staff' })).answers[0]).toMatchObject({ status: 'done' })
    expect((await send(line, { as: 'customer' })).status).toBe(403)
    expect((await send(line, { as: undefined })).status).toBe(401)
  })

  it('answers an empty body', async () => {
    expect((await send('\n')).answers).toEqual([{ status: 'finished', done: 0, refused: 0 }])
  })

  it('refuses other formats, charsets and compression', async () => {
    const problem = async (headers: Record<string, string>) => {
      const { status, answers } = await send('{}', { headers })
      return [status, answers[0].detail]
    }
    expect(await problem({ 'content-type': 'application/json' })).toEqual([
      415,
      'Send the body with Content-Type: application/x-ndjson or text/csv.',
    ])
    expect(await problem({ 'content-type': 'text/csv; charset=latin1' })).toEqual([
      415,
      'Send the body in UTF-8, not in latin1.',
    ])
    expect(await problem({ 'content-encoding': 'gzip' })).toEqual([
      415,
      'Send the body as it is, without Content-Encoding: gzip.',
    ])
  })

  it('refuses a body that says it is too large', async () => {
    const { status, answers } = await send('{}', { headers: { 'content-length': String(65 * 1024 * 1024) } })
    expect([status, answers[0].detail]).toEqual([413, 'Send at most 64 MiB.'])
  })
})

describe('lines that are sent again', () => {
  it('are done once, and answered as before', async () => {
    const [a] = await stocked(shop, 0)
    const key = randomUUID()
    const body = ndjson(received(a!, 1), received(a!, 2), received(a!, 3))
    const first = await send(body, { key })
    expect((await send(body, { key })).answers).toEqual(first.answers)
    expect(await available([a!])).toEqual([6])
    expect((await send(body)).answers.at(-1)).toMatchObject({ done: 3 })
    expect(await available([a!])).toEqual([12])
  })

  it('are completed, if the first time only some were done', async () => {
    const [a] = await stocked(shop, 0)
    const key = randomUUID()
    const lines = Array.from({ length: 5 }, (_, i) => received(a!, 1 + i))
    await send(ndjson(...lines.slice(0, 2)), { key })
    const { answers } = await send(ndjson(...lines), { key })
    expect(answers.at(-1)).toEqual({ status: 'finished', done: 5, refused: 0 })
    expect(await available([a!])).toEqual([15])
  })

  it('are refused if they have changed, and tried again if they were refused', async () => {
    const [a] = await stocked(shop, 0)
    const key = randomUUID()
    const lost = { sku: a, quantity: -2, reason: 'lost' }
    expect(brief((await send(ndjson(received(a!), lost), { key })).answers)).toEqual([
      [1, 'done'],
      [2, 'refused', 'stock-too-low'],
      [undefined, 'finished'],
    ])
    await send(ndjson(received(a!, 5)))
    expect(brief((await send(ndjson(received(a!, 9), lost), { key })).answers)).toEqual([
      [1, 'refused', 'idempotency-key-reused'],
      [2, 'done'],
      [undefined, 'finished'],
    ])
    expect(await available([a!])).toEqual([4])
  })

  it('are done once, even if they are sent twice at the same time', async () => {
    const skus = await stocked(shop, ...Array<number>(20).fill(0))
    const key = randomUUID()
    const body = ndjson(...Array.from({ length: 250 }, (_, i) => received(skus[(i * 7) % 20]!)))
    const all = await Promise.all(Array.from({ length: 2 }, () => send(body, { key })))
    expect(new Set(all.map(({ answers }) => JSON.stringify(answers))).size).toBe(1)
    expect((await available(skus)).reduce((sum, n) => sum! + n!, 0)).toBe(250)
  })

  it('are known by keys that no client can send, for a day', async () => {
    const [a] = await stocked(shop, 0)
    const key = randomUUID()
    await send(ndjson(received(a!)), { key })
    const kept = and(eq(idempotencyKeys.caller, shop.users.seller.id), like(idempotencyKeys.key, `${key}%`))
    expect(await db().select().from(idempotencyKeys).where(kept)).toMatchObject([{ key: `${key} 1` }])
    await db()
      .update(idempotencyKeys)
      .set({ at: new Date(Date.now() - 25 * 60 * 60 * 1000) })
      .where(kept)
    await send(ndjson(received(a!)), { key })
    expect(await available([a!])).toEqual([2])
  })
})

it('forgets the answers to the lines of a deleted user', async () => {
  const [a] = await stocked(shop, 0)
  const user = shop.newUser('admin')
  await send(ndjson(received(a!), received(a!)), { as: user })
  const kept = () => db().select().from(idempotencyKeys).where(eq(idempotencyKeys.caller, user.id))
  expect(await kept()).toHaveLength(2)
  await shop.react('forget-adjuster', 'user.deleted', { userId: user.id })
  expect(await kept()).toEqual([])
})

/** Opens an exchange over a real connection, in which the test decides when a line is sent or read. */
async function exchange(user = shop.users.seller) {
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: `/api/v1${path}`,
    agent: false,
    headers: {
      authorization: `Bearer ${await shop.sign(user)}`,
      'content-type': 'application/x-ndjson',
      'idempotency-key': randomUUID(),
    },
  })
  sent.on('error', () => {})
  onTestFinished(() => void sent.destroy())
  const responded = once(sent, 'response').then(([response]) => response as IncomingMessage)
  return { sent, responded }
}

describe('the answer to lines', () => {
  it('arrives while lines are still being sent', async () => {
    const [a] = await stocked(shop, 0)
    const { sent, responded } = await exchange()
    sent.write(ndjson(received(a!, 1)))
    const answers = createInterface({ input: await responded })[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await answers.next()).value as string)
    expect(await next()).toMatchObject({ line: 1, status: 'done', available: 1 })
    for (const line of [2, 3]) {
      sent.write(ndjson(received(a!, 1)))
      expect(await next()).toMatchObject({ line, status: 'done', available: line })
    }
    sent.end()
    expect(await next()).toEqual({ status: 'finished', done: 3, refused: 0 })
    expect((await answers.next()).done).toBe(true)
  })

  it('ends with the client’s connection, after the lines that have arrived', async () => {
    const [a] = await stocked(shop, 0)
    const { sent, responded } = await exchange()
    sent.write(ndjson(received(a!, 1)))
    await once(await responded, 'data')
    sent.destroy()
    // the stream no longer counts
    await expect
      .poll(async () => {
        const others = await Promise.all([exchange(), exchange()])
        for (const { sent } of others) sent.end(ndjson(received(a!, 1)))
        return (await Promise.all(others.map(({ responded }) => responded))).map((r) => r.statusCode)
      })
      .toEqual([200, 200])
  })

  it('ends when the caller’s session ends', async () => {
    const [a] = await stocked(shop, 0)
    const user = { ...shop.users.staff, session: randomUUID() }
    const { sent, responded } = await exchange(user)
    sent.write(ndjson(received(a!, 1)))
    const answers = createInterface({ input: await responded })[Symbol.asyncIterator]()
    await answers.next()
    await shop.react('end-stock-sessions', 'session.ended', { sessionIds: [user.session], userId: user.id })
    await expect
      .poll(
        async () => {
          sent.write(ndjson(received(a!, 1)))
          return JSON.parse((await answers.next()).value as string)
        },
        { timeout: 5_000 },
      )
      .toMatchObject({ status: 'stopped', type: 'https://zeroshop.dev/problems/session-ended' })
    expect((await answers.next()).done).toBe(true)
  })

  it('is held back by a client that does not read it, and so are its lines', async () => {
    const [a] = await stocked(shop, 0)
    const { sent, responded } = await exchange()
    const block = ndjson(...Array.from({ length: 500 }, () => ({ ...received(a!), note: 'x'.repeat(400) })))
    let taken = 0
    const most = 60 * 1024 * 1024
    const blocks = function* () {
      for (; taken < most; taken += block.length) yield block
    }
    const writing = pipeline(Readable.from(blocks()), sent).catch(() => {})
    const response = await responded
    response.pause()
    let before = -1
    await expect
      .poll(
        () => {
          const isStuck = before === taken
          before = taken
          return isStuck
        },
        { interval: 1_000, timeout: 30_000 },
      )
      .toBe(true)
    expect(taken).toBeGreaterThan(block.length)
    expect(taken).toBeLessThan(most / 2)
    sent.destroy()
    await writing
  })

  it('is refused to a caller who sends two others', async () => {
    const others = [await exchange(), await exchange()]
    for (const { sent } of others) sent.write(ndjson(received('NONE')))
    await Promise.all(others.map(({ responded }) => responded))
    expect((await send(ndjson(received('NONE')))).status).toBe(429)
    for (const { sent } of others) sent.destroy()
    await expect.poll(async () => (await send('\n')).status).toBe(200)
  })
})
