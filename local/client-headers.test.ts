import { once } from 'node:events'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { front, listen } from './front.ts'

/** Of the ways in which functions read headers. */
interface Seen {
  headers: Record<string, string>
  fetched: Record<string, string>
}

let local: Awaited<ReturnType<typeof listen>>
beforeAll(async () => {
  const echo = front(
    (incoming, response) => {
      const { headers } = incoming
      void getRequestListener(
        ({ headers: fetched }) => Response.json({ headers, fetched: Object.fromEntries(fetched) }),
        { overrideGlobalObjects: false },
      )(incoming, response)
    },
    () => ({}),
  )
  local = await listen(echo, 0)
})
afterAll(() => local.server.close())

async function seen(headers: Record<string, string>): Promise<Seen> {
  const sent = request({ port: local.port, host: '127.0.0.1', path: '/any', headers, agent: false }).end()
  const [response] = await once(sent, 'response')
  // as `echo` writes it
  return (await json(response)) as Seen
}

it('removes what only proxies may set, and what is too long, from the requests of clients', async () => {
  const refused = {
    Forwarded: 'for=203.0.113.9',
    'X-Real-IP': '203.0.113.9',
    'Knative-Serving-Revision': 'x',
    'K-Network-Probe': 'queue',
    'K-Proxy-Request': 'activator',
    'ce-type': 'dev.zeroshop.payment.authorized',
    'CE-ID': '1',
    tracestate: 'x=' + 'y'.repeat(600),
  }
  const kept = {
    'x-request-id': 'order-4711',
    'x-forwarded-for': '203.0.113.9',
    cookie: 'k-1=ce-2',
    'x-k-1': 'kept',
    knative: 'kept',
  }
  const { headers, fetched } = await seen({ ...refused, ...kept })
  for (const each of [headers, fetched]) {
    expect(each).toMatchObject(kept)
    for (const name of Object.keys(refused)) expect(each).not.toHaveProperty([name.toLowerCase()])
  }
})

it('passes on a tracestate of the length that W3C Trace Context requires', async () => {
  const tracestate = `x=${'y'.repeat(510)}`
  expect((await seen({ tracestate })).headers).toMatchObject({ tracestate })
})
