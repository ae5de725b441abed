import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Observer } from './observer.ts'
import { createPool, type Pool, type PoolOptions } from './pool.ts'

const child = join(import.meta.dirname, 'fixtures/child.js')

let pool: Pool
let server: Server
let url: string
let lines: string[]
let dir: string

async function start(options: Partial<PoolOptions>, env: Record<string, string> = {}) {
  pool = createPool({
    name: 'get-order',
    concurrency: 10,
    minScale: 0,
    maxScale: 1,
    windowSeconds: 60,
    spawn: () => ({ command: process.execPath, args: [child], env: { ...process.env, ...env } }),
    log: (_, line) => lines.push(line),
    ...options,
  })
  server = createServer((req, res) => pool.accept(req, res, req.url ?? '/')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // a TCP server's address
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const queued = () => pool.report().concurrency.queued
const problem = (name: string) => ({ type: `https://zeroshop.dev/problems/${name}` })

beforeEach(() => {
  lines = []
  dir = mkdtempSync(join(tmpdir(), 'pool-'))
})

afterEach(async () => {
  await pool.close(0)
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true })
})

it.each(['GET', 'POST'])('answers %s with 504 if the function does not answer in time', async (method) => {
  await start({ answerWithinMs: 200 })
  const answer = await fetch(`${url}/hold`, { method })
  expect(answer.status).toBe(504)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(await answer.json()).toMatchObject(problem('gateway-timeout'))
  expect(pool.report().concurrency.inFlight).toBe(0)
  // the function learns that the client no longer waits, and got the request only once
  await expect.poll(() => lines).toContain('closed hold aborted')
  expect(lines.filter((line) => line === 'holding')).toHaveLength(1)
  expect((await fetch(`${url}/plain`)).status).toBe(200)
})

it('keeps an event stream open, even if it is silent for a long time', async () => {
  await start({ answerWithinMs: 100 })
  const { body } = await fetch(`${url}/events`)
  const reader = body!.getReader()
  await reader.read()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await fetch(`${url}/release`)
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('released')
  expect((await reader.read()).done).toBe(true)
})

it('refuses requests when the queue is full', async () => {
  await start({ queueLimit: 2 }, { WAIT_FOR: join(dir, 'go') })
  const waiting = [fetch(`${url}/plain`), fetch(`${url}/plain`)]
  await expect.poll(queued).toBe(2)
  const answer = await fetch(`${url}/plain`)
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await answer.json()).toMatchObject(problem('overloaded'))
  writeFileSync(join(dir, 'go'), '')
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200])
})

it('refuses requests that have waited too long, but no newer ones', async () => {
  await start({ longestWaitMs: 200 }, { WAIT_FOR: join(dir, 'go') })
  const old = fetch(`${url}/plain`)
  await expect.poll(queued).toBe(1)
  pool.tick()
  expect(queued()).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 250))
  const young = fetch(`${url}/plain`)
  await expect.poll(queued).toBe(2)
  pool.tick()
  const answer = await old
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '6'])
  expect(await answer.json()).toMatchObject(problem('overloaded'))
  writeFileSync(join(dir, 'go'), '')
  expect((await young).status).toBe(200)
})

it('sends a small body to another process if the first one no longer listens', async () => {
  await start({ maxScale: 2 })
  await fetch(`${url}/deaf`)
  const answer = await fetch(`${url}/upload`, { method: 'POST', body: 'x'.repeat(1000) })
  expect(await answer.json()).toEqual({ bytes: 1000 })
})

it('tells its observer what became of each request, and why it scales', async () => {
  const seen: [path: string, status: number | undefined, traceId: string | undefined][] = []
  const reasons: string[] = []
  const observer: Observer = {
    answered: (_, { path, status, traceId }) => void seen.push([path, status, traceId]),
    scaled: (name, { from, to, reason }, decision) =>
      void reasons.push(`${name} ${from} → ${to} of ${decision?.desired}: ${reason}`),
  }
  await start({ observer, queueLimit: 2 }, { WAIT_FOR: join(dir, 'go') })
  const leaving = new AbortController()
  const left = fetch(`${url}/left`, { signal: leaving.signal }).catch(() => 'left')
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const answered = fetch(`${url}/plain?q=1`, {
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
  })
  await expect.poll(queued).toBe(2)
  await fetch(`${url}/refused`)
  leaving.abort()
  expect(await left).toBe('left')
  await expect.poll(queued).toBe(1)
  writeFileSync(join(dir, 'go'), '')
  expect((await answered).status).toBe(200)
  await expect
    .poll(() => seen)
    .toEqual([
      ['/refused', 503, undefined],
      ['/left', undefined, undefined],
      ['/plain?q=1', 200, traceId],
    ])
  expect(reasons[0]).toMatch(/^get-order 0 → 1 of 1: [12] requests? after an idle window, 10 per instance$/)
})
