import { describe, expect, it } from 'vitest'
import { createJournal } from './journal.ts'

const exchange = { method: 'POST', path: '/', status: 204, ms: 3.4, requestId: 'r', traceId: undefined }
const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const event = (type: string, data: object = {}) =>
  JSON.stringify({
    id: 'x',
    type: `dev.zeroshop.${type}`,
    traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    data,
  })

describe('the journal', () => {
  it('names the events of a delivery, and nothing of their data', () => {
    const journal = createJournal()
    const body = Buffer.from(
      `[${event('payment.voided', { note: '"type":"dev.zeroshop.payment.declined"' })},${event('payment.voided')},${event('stock.reserved')}]`,
    )
    journal.observer.answered('track-order', { ...exchange, body })
    expect(journal.since(0).deliveries).toMatchObject([
      {
        reaction: 'track-order',
        events: [
          ['payment.voided', 2],
          ['stock.reserved', 1],
        ],
        status: 204,
        ms: 3,
        trace,
      },
    ])
  })

  it('does not say which events a delivery has that was streamed', () => {
    const journal = createJournal()
    journal.observer.answered('track-order', { ...exchange, body: undefined })
    expect(journal.since(0).deliveries).toMatchObject([{ reaction: 'track-order', events: [] }])
  })

  it('leaves out the requests that only wake a function', () => {
    const journal = createJournal()
    journal.observer.answered('track-order', { ...exchange, path: '/health/liveness', body: undefined })
    expect([journal.since(0).deliveries, journal.counts('track-order').answered]).toEqual([[], 0])
  })

  it('keeps failed requests longer than others, and no more of either than it should', () => {
    const journal = createJournal()
    const ask = (status: number) =>
      journal.observer.answered('get-order', {
        ...exchange,
        path: '/api/v1/orders/1',
        status,
        body: undefined,
      })
    for (let n = 0; n < 200; n += 1) ask(503)
    for (let n = 0; n < 1_000; n += 1) ask(200)
    const { requests } = journal.since(0)
    const count = (wanted: number) => requests.filter(({ status }) => status === wanted).length
    expect([count(503), count(200)]).toEqual([100, 150])
    expect(requests.map(({ n }) => n)).toEqual(requests.map(({ n }) => n).toSorted((a, b) => a - b))
    expect(journal.counts('get-order')).toEqual({ answered: 1_200, failed: 200 })
  })

  it('tells only what is new', () => {
    const journal = createJournal()
    const change = { at: '', from: 0, to: 1, reason: 'warmed' }
    journal.observer.scaled('get-order', change, undefined)
    const seen = journal.last()
    journal.observer.scaled('get-user', change, undefined)
    expect(journal.since(seen).decisions).toMatchObject([{ name: 'get-user', to: 1 }])
  })

  it.each([
    [
      'an error',
      {
        level: 50,
        msg: 'request failed',
        err: { message: 'no answer\nmore', stack: 'at …' },
        trace_id: trace,
      },
      [{ isError: true, text: 'request failed – no answer', trace }],
    ],
    [
      'a failed delivery',
      {
        level: 40,
        msg: 'delivery failed; will retry',
        reaction: 'open-stock',
        type: 'product.created',
        reason: '503',
      },
      [{ isError: false, text: 'open-stock: delivery failed; will retry – product.created – 503' }],
    ],
    ['information', { level: 30, msg: 'started' }, []],
    ['the security log', { level: 40, msg: 'refused', security: { address: '198.51.100.7' } }, []],
    [
      'the error of a crash',
      'TypeError: no such thing',
      [{ isError: true, text: 'TypeError: no such thing' }],
    ],
    ['where it happened', '    at main (file:///main.js:1:1)', []],
    ['the runner', 'process 7 ended unexpectedly: exit code 1', [{ isError: false }]],
  ])('takes from a line of the log what a person needs: %s', (_, line, expected) => {
    const journal = createJournal()
    journal.line('open-stock', typeof line === 'string' ? line : JSON.stringify(line))
    expect(journal.since(0).logs).toMatchObject(expected)
    expect(journal.since(0).logs).toHaveLength(expected.length)
  })

  it('finds the lines of a trace at every level, without addresses', () => {
    const journal = createJournal()
    const line = {
      level: 30,
      time: 5,
      msg: 'logged in',
      trace_id: trace,
      security: { address: '198.51.100.7' },
    }
    journal.line('log-in', JSON.stringify(line))
    journal.line('log-in', JSON.stringify({ ...line, trace_id: 'f'.repeat(32) }))
    journal.line('log-in', 'not JSON, "trace_id":"' + trace + '"')
    const request = {
      level: 30,
      time: 6,
      msg: 'request',
      method: 'GET',
      route: '/x',
      status: 200,
      trace_id: trace,
    }
    journal.line('log-in', JSON.stringify(request))
    expect(journal.logsOf(trace)).toEqual([
      { at: 5, name: 'log-in', level: 'info', text: 'logged in' },
      { at: 6, name: 'log-in', level: 'info', text: 'request – GET /x 200' },
    ])
  })
})
