import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions, Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createActivator, startsAtOnce } from './activator.ts'
import type { Activator, ActivatorOptions, FunctionSpec } from './activator.ts'

const child = fileURLToPath(new URL('fixtures/child.js', import.meta.url))
const usual = { concurrency: 10, minScale: 0, maxScale: 3 }

let activator: Activator
let servers: Server[] = []
let lines: string[] = []
let agent: Agent
let dir: string
/** The ports for clients and for internal requests. */
let front: number
let inner: number

async function start(
  options: Partial<ActivatorOptions> & { spec?: Partial<FunctionSpec>; env?: Record<string, string> } = {},
) {
  const { spec, env, ...rest } = options
  const functions = [
    { name: 'get-order', method: 'get', path: '/orders/{id}/{job}', ...usual, ...spec },
    { name: 'create-order', method: 'post', path: '/orders/{id}/{job}', ...usual, ...spec },
    { name: 'notify-customer', ...usual, ...spec },
  ]
  activator = createActivator({
    functions,
    spawn: () => ({ command: process.execPath, args: [child], env: { ...process.env, ...env } }),
    log: (name, line) => lines.push(`${name}: ${line}`),
    tickMs: 50,
    ...rest,
  })
  front = await listen(activator.handle)
  inner = await listen(activator.handleInternal)
}

async function listen(handler: Activator['handle']): Promise<number> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  // a TCP server's address
  return (server.address() as AddressInfo).port
}

function get(path: string, options: RequestInit = {}) {
  return fetch(`http://127.0.0.1:${front}${path}`, options)
}

/** Sends a request with node:http, for tests that control when bytes are sent or read. */
function open(options: RequestOptions): { sent: ClientRequest; answered: Promise<IncomingMessage> } {
  const sent = request({ host: '127.0.0.1', port: front, agent, ...options })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
  answered.catch(() => {})
  return { sent, answered }
}

/** Returns the fixture's answer to the job `work`. */
async function work(answer: Response): Promise<{ pid: number; most: number }> {
  return (await answer.json()) as { pid: number; most: number }
}

function scale(name = 'get-order') {
  const report = activator.scale().functions[name]
  if (!report) throw new Error(`no function ${name}`)
  return report
}

function pids(name?: string): number[] {
  return scale(name).instances.flatMap(({ pid }) => pid ?? [])
}

async function logged(line: string): Promise<void> {
  await expect.poll(() => lines, { interval: 5, timeout: 10_000 }).toContain(line)
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

beforeEach(() => {
  lines = []
  agent = new Agent()
  dir = mkdtempSync(join(tmpdir(), 'activator-'))
})

afterEach(async () => {
  agent.destroy()
  for (const server of servers) server.closeAllConnections()
  await activator.close()
  for (const server of servers) server.close()
  servers = []
  rmSync(dir, { recursive: true })
})

describe('a function that is not running', () => {
  it('is started by a request, which waits until it is ready', async () => {
    await start()
    expect(scale()).toMatchObject({ state: 'idle', instances: [], desired: 0 })
    const answer = await get('/orders/7/echo?a=1')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ name: 'get-order', method: 'GET', url: '/orders/7/echo?a=1' })
    const { state, instances, decisions } = scale()
    expect(state).toBe('ready')
    expect(instances).toMatchObject([{ state: 'ready', inFlight: 0 }])
    expect(decisions).toMatchObject([
      { from: 0, to: 1, reason: '1 request after an idle window, 10 per instance' },
    ])
    expect(scale('create-order').instances).toEqual([])
  })

  it('waits for its turn if many start, but not for those of another kind or store, and not long for one that hangs', async () => {
    const [starts, go] = [join(dir, 'starts'), join(dir, 'go')]
    const reactions = Array.from({ length: 3 * startsAtOnce }, (_, n) => ({
      name: `reaction-${n}`,
      ...usual,
    }))
    const operation = { name: 'get-order', method: 'get', path: '/orders/{id}/{job}', ...usual }
    const elsewhere = { name: 'elsewhere', store: 'mongodb', ...usual }
    await start({ functions: [...reactions, operation, elsewhere], env: { STARTS: starts, WAIT_FOR: go } })
    const started = () => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n').length : 0)
    const waiting = () => reactions.filter(({ name }) => scale(name).instances[0]?.pid === undefined).length
    const delivered = reactions.map(({ name }) => fetch(`http://127.0.0.1:${inner}/${name}/plain`))
    await expect.poll(started).toBe(startsAtOnce)
    expect(waiting()).toBe(2 * startsAtOnce)
    const others = [get('/orders/7/plain'), fetch(`http://127.0.0.1:${inner}/elsewhere/plain`)]
    await expect.poll(started).toBe(startsAtOnce + others.length)
    expect(waiting()).toBe(2 * startsAtOnce)
    await expect.poll(waiting).toBe(0)
    writeFileSync(go, '')
    for (const { status } of await Promise.all([...delivered, ...others])) expect(status).toBe(200)
  })

  it('is started once for all requests that one process can handle', async () => {
    await start()
    const answers = await Promise.all(Array.from({ length: 10 }, () => get('/orders/7/work')))
    expect(answers.every((answer) => answer.ok)).toBe(true)
    expect(scale().decisions[0]).toMatchObject({ from: 0, to: 1 })
  })

  it('answers a burst of 200 requests with three processes, one request each at a time', async () => {
    await start({ spec: { concurrency: 1 } })
    const answers = await Promise.all(Array.from({ length: 200 }, () => get('/orders/7/work?ms=2')))
    const bodies = await Promise.all(answers.map(work))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
    expect(new Set(bodies.map(({ most }) => most))).toEqual(new Set([1]))
    expect(new Set(bodies.map(({ pid }) => pid)).size).toBe(3)
    expect(scale()).toMatchObject({
      concurrency: { inFlight: 0, queued: 0 },
      panic: true,
      desired: 3,
      restarts: 0,
    })
  })

  it('is started by warm() and kept for a window', async () => {
    await start()
    await activator.warm(['get-order', 'notify-customer'])
    expect(scale().state).toBe('ready')
    expect(scale('notify-customer').state).toBe('ready')
    await expect(activator.warm(['nothing'])).rejects.toThrow('There is no function named nothing')
  })

  it('starts with its min scale', async () => {
    await start({ spec: { minScale: 1 } })
    await expect.poll(() => scale().state).toBe('ready')
  })

  it('drops a request whose client disconnects while it waits', async () => {
    await start({ env: { WAIT_FOR: join(dir, 'go') } })
    const leaving = open({ path: '/orders/7/hold' })
    leaving.sent.end()
    await expect.poll(() => scale().concurrency.queued).toBe(1)
    leaving.sent.destroy()
    await expect.poll(() => scale().concurrency.queued).toBe(0)
    writeFileSync(join(dir, 'go'), '')
    expect((await get('/orders/7/plain')).status).toBe(200)
    expect(lines).not.toContain('get-order: holding')
  })
})

describe('scaling', () => {
  it('adds processes while requests wait, up to the limit for all functions', async () => {
    await start({ spec: { concurrency: 1, maxScale: 100 }, maxScale: 2 })
    await get('/orders/7/plain')
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/orders/7/work?ms=20')))
    const bodies = await Promise.all(answers.map(work))
    expect(new Set(bodies.map(({ most }) => most))).toEqual(new Set([1]))
    expect(pids().length).toBe(2)
  })

  it('stops a function that has been idle for a window, and starts it again when needed', async () => {
    await start({ windowSeconds: 0.5 })
    await get('/orders/7/plain')
    const [pid = 0] = pids()
    await expect.poll(() => scale().instances, { timeout: 5000 }).toEqual([])
    expect(runs(pid)).toBe(false)
    expect(scale()).toMatchObject({ state: 'idle', restarts: 0 })
    expect(scale().decisions.at(-1)).toMatchObject({ from: 1, to: 0, reason: 'idle for 0.5 s' })
    expect((await get('/orders/7/plain')).status).toBe(200)
  })

  it('lets a stopping process finish its requests', async () => {
    await start({ spec: { concurrency: 1 }, windowSeconds: 0.5 })
    const held = open({ path: '/orders/7/events' })
    held.sent.end()
    await held.answered
    await Promise.all(Array.from({ length: 20 }, () => get('/orders/7/work?ms=20')))
    expect(pids().length).toBe(3)
    // an open stream is one request in flight, which needs two processes at 0.7 per process
    await expect.poll(() => pids().length, { timeout: 5000 }).toBe(2)
    expect(scale().concurrency.inFlight).toBe(1)
    expect(held.sent.destroyed).toBe(false)
  })
})

describe('a process that dies', () => {
  it('is replaced, and requests that were not sent to it are answered', async () => {
    await start()
    await get('/orders/7/plain')
    const [pid = 0] = pids()
    process.kill(pid, 'SIGKILL')
    const answers = await Promise.all(Array.from({ length: 5 }, () => get('/orders/7/echo')))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200])
    expect(pids()).not.toContain(pid)
    expect(scale().restarts).toBe(1)
  })

  it('fails the request that it was processing, with 502', async () => {
    await start()
    const answer = await fetch(`http://127.0.0.1:${front}/orders/7/die`, { method: 'POST', body: 'x' })
    expect(answer.status).toBe(502)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toEqual({
      type: 'https://zeroshop.dev/problems/bad-gateway',
      title: 'Bad gateway',
      status: 502,
      detail: 'The function ended before it answered. Whether it did its work is not known.',
    })
    expect((await fetch(`http://127.0.0.1:${front}/orders/7/echo`, { method: 'POST' })).status).toBe(200)
  })

  it('breaks the connection of a client if it was sending the answer', async () => {
    await start()
    const { sent, answered } = open({ path: '/orders/7/break' })
    sent.end()
    const answer = await answered
    answer.resume()
    await expect(once(answer, 'end')).rejects.toThrow('aborted')
  })

  it('is also replaced if it runs but no longer listens', async () => {
    await start()
    await get('/orders/7/deaf')
    const [pid] = pids()
    expect((await get('/orders/7/plain')).status).toBe(200)
    await expect.poll(() => pids()).not.toContain(pid)
  })

  it('leads to 503 and a pause if it never starts', async () => {
    const starts = join(dir, 'starts')
    await start({ env: { CRASH: 'start', STARTS: starts } })
    const answers = await Promise.all([get('/orders/7/plain'), get('/orders/7/plain')])
    for (const answer of answers) {
      expect(answer.status).toBe(503)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(await answer.json()).toMatchObject({
        type: 'https://zeroshop.dev/problems/function-cannot-start',
      })
    }
    expect((await get('/orders/7/plain')).status).toBe(503)
    expect(readFileSync(starts, 'utf8').trim().split('\n').length).toBe(3)
    expect(scale()).toMatchObject({ state: 'failing', restarts: 3 })
    await logged('get-order: get-order did not start: exit code 7\ncannot reach the database')
    await expect(activator.warm(['get-order'])).rejects.toThrow('cannot reach the database')
  })

  it('is started again once the cause is fixed', async () => {
    await start({ env: { CRASH: 'unless-healed', HEALED: join(dir, 'healed') } })
    expect((await get('/orders/7/plain')).status).toBe(503)
    writeFileSync(join(dir, 'healed'), '')
    await expect.poll(async () => (await get('/orders/7/plain')).status, { timeout: 10_000 }).toBe(200)
    expect(scale().state).toBe('ready')
  })
})

describe('a request', () => {
  it('reaches its function with its headers, except those of the connection', async () => {
    await start()
    const { sent, answered } = open({
      path: '/orders/7/echo',
      headers: {
        Host: 'shop.example',
        Connection: 'keep-alive, X-Mine, Content-Length',
        'X-Mine': '1',
        TE: 'trailers',
        'Proxy-Authorization': 'secret',
        'X-Forwarded-For': '203.0.113.9',
        'X-Request-Id': 'abc-123',
        Accept: 'text/plain',
      },
    })
    sent.end()
    const answer = await answered
    expect(answer.headers['x-request-id']).toBe('abc-123')
    expect(await json(answer)).toMatchObject({
      headers: {
        host: 'shop.example',
        connection: 'keep-alive',
        accept: 'text/plain',
        'x-forwarded-for': '203.0.113.9, 127.0.0.1',
        'x-request-id': 'abc-123',
      },
    })
  })

  it('gets an X-Request-Id if it has none or an invalid one', async () => {
    await start()
    const answer = await get('/orders/7/echo', { headers: { 'X-Request-Id': '<script>' } })
    const id = answer.headers.get('x-request-id')
    expect(id).toMatch(/^[\da-f-]{36}$/)
    expect(await answer.json()).toMatchObject({ headers: { 'x-request-id': id } })
  })

  it('gets 404 if the path is unknown', async () => {
    await start()
    for (const path of ['/', '/orders', '/get-order/echo', '/notify-customer']) {
      const answer = await get(path)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({
        type: 'https://zeroshop.dev/problems/not-found',
        status: 404,
      })
    }
  })

  it('gets 405 with an Allow header if the path has only other methods', async () => {
    await start()
    const answer = await get('/orders/7/echo', { method: 'DELETE' })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST')
    expect(await answer.json()).toMatchObject({ type: 'https://zeroshop.dev/problems/method-not-allowed' })
  })

  it('may be a HEAD, a POST without a body, or have a whole URL as its target', async () => {
    await start()
    const head = await get('/orders/7/plain', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await get('/orders/7/upload', { method: 'POST' })
    expect(await post.json()).toEqual({ bytes: 0 })
    const { sent, answered } = open({ path: `http://127.0.0.1:${front}/orders/7/echo?a=1` })
    sent.end()
    expect(await json(await answered)).toMatchObject({ url: '/orders/7/echo?a=1' })
  })

  it('to a function by name arrives without the name in its path, whatever its method', async () => {
    await start()
    const answer = await fetch(`http://127.0.0.1:${inner}/notify-customer/a/b?c=1`, {
      method: 'POST',
      body: '{}',
    })
    expect(await answer.json()).toMatchObject({ name: 'notify-customer', method: 'POST', url: '/a/b?c=1' })
    expect(await (await fetch(`http://127.0.0.1:${inner}/get-order?c=1`)).json()).toMatchObject({
      url: '/?c=1',
    })
    expect((await fetch(`http://127.0.0.1:${inner}/nothing/x`)).status).toBe(404)
  })
})

describe('a body', () => {
  it('streams to the function as it arrives', async () => {
    await start()
    const { sent, answered } = open({ path: '/orders/7/upload', method: 'POST' })
    sent.write('first')
    await logged('create-order: first chunk')
    sent.end('second')
    expect(await json(await answered)).toEqual({ bytes: 11 })
  })

  it('may have many megabytes, in both directions', async () => {
    await start()
    const body = Buffer.alloc(20_000_000, 'x')
    const up = await get('/orders/7/upload', { method: 'POST', body })
    expect(await up.json()).toEqual({ bytes: body.length })
    const down = await get(`/orders/7/download?bytes=${body.length}`)
    expect((await down.arrayBuffer()).byteLength).toBe(body.length)
  })

  it('streams both ways at once', async () => {
    await start()
    const { sent, answered } = open({ path: '/orders/7/mirror', method: 'POST' })
    sent.write('first')
    const answer = await answered
    const chunks = answer.iterator() as AsyncIterator<Buffer>
    const next = async () => String((await chunks.next()).value)
    expect(await next()).toBe('first')
    for (const line of ['second', 'third']) {
      sent.write(line)
      expect(await next()).toBe(line)
    }
    sent.end()
    expect((await chunks.next()).done).toBe(true)
  })

  it('streams to the client as it arrives, and is in flight until its end', async () => {
    await start()
    const { sent, answered } = open({ path: '/orders/7/events' })
    sent.end()
    const answer = await answered
    expect(String(await once(answer, 'data'))).toBe('data: 1\n\n')
    expect(scale().concurrency.inFlight).toBe(1)
    const ended = once(answer, 'end')
    await get('/orders/7/release')
    await ended
    expect(scale().concurrency.inFlight).toBe(0)
  })

  it('that the function does not read delays neither the answer nor the next request', async () => {
    await start()
    const big = await get('/orders/7/early', { method: 'POST', body: Buffer.alloc(5_000_000) })
    expect([big.status, await big.text()]).toEqual([413, 'too much'])
    expect((await get('/orders/7/echo', { method: 'POST' })).status).toBe(200)
  })
})

describe('a client that disconnects', () => {
  it('aborts its request at the function', async () => {
    await start()
    const { sent } = open({ path: '/orders/7/hold' })
    sent.end()
    await logged('get-order: holding')
    sent.destroy()
    await logged('get-order: closed hold aborted')
    expect(scale().concurrency.inFlight).toBe(0)
  })

  it('in the middle of an upload aborts it', async () => {
    await start()
    const { sent } = open({
      path: '/orders/7/upload',
      method: 'POST',
      headers: { 'Content-Length': '100000' },
    })
    sent.write('first')
    await logged('create-order: first chunk')
    sent.destroy()
    await logged('create-order: closed upload aborted')
    expect(scale('create-order').concurrency.inFlight).toBe(0)
  })

  it('in the middle of a download leaves nothing in flight', async () => {
    await start()
    const socket = connect(front, '127.0.0.1')
    socket.write('GET /orders/7/download?bytes=50000000 HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    socket.destroy()
    await expect.poll(() => scale().concurrency.inFlight).toBe(0)
  })
})

describe('closing', () => {
  it('answers requests in flight, refuses new ones and leaves no process', async () => {
    await start()
    await activator.warm(['get-order', 'notify-customer'])
    const before = [...pids(), ...pids('notify-customer')]
    const held = open({ path: '/orders/7/work?ms=300' })
    held.sent.end()
    await expect.poll(() => scale().concurrency.inFlight).toBe(1)
    const closed = activator.close()
    const late = await get('/orders/7/plain')
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await held.answered).statusCode).toBe(200)
    await closed
    expect(before.filter(runs)).toEqual([])
  })

  it('takes less than 5 s, even if a process hangs', async () => {
    await start({ env: { STUBBORN: '1' } })
    const held = open({ path: '/orders/7/hold' })
    held.sent.end()
    await logged('get-order: holding')
    const [pid = 0] = pids()
    const since = performance.now()
    await activator.close()
    expect(performance.now() - since).toBeLessThan(5000)
    expect(runs(pid)).toBe(false)
  })

  it('does not wait for event streams', async () => {
    await start()
    const { sent, answered } = open({ path: '/orders/7/events' })
    sent.end()
    await answered
    const since = performance.now()
    await activator.close()
    expect(performance.now() - since).toBeLessThan(2500)
  })
})
