import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import asyncApiSchema from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' }
import { HTTP } from 'cloudevents'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue, type EventType } from '../events/catalogue.ts'
import { sourceOf } from '../events/event.ts'
import { toCloudEvent } from './cloud-event.ts'
import { operations, type OperationName } from '../functions/table.ts'
import type { OperationRow } from '../functions/shared/domain.ts'
import { front, listen } from '../local/front.ts'
import { checkAnswer } from './openapi.ts'

interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, { operationId: string; security?: unknown; parameters?: unknown[] }>>
}

const text = (path: string) => readFileSync(path, 'utf8')
const openApi = JSON.parse(text('docs/openapi.json')) as OpenApi
const asyncApi = JSON.parse(text('docs/asyncapi.json')) as Record<string, unknown>
// its types support only this way to import it
const withFormats = addFormats as unknown as <A>(ajv: A) => A

describe('docs/openapi.json', () => {
  it('is an OpenAPI 3.1 document', async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(text('docs/openapi.json')))
    expect(result).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
    expect(openApi.openapi).toBe('3.1.0')
  })

  it('contains no dangling reference', () => {
    const references = new Set(text('docs/openapi.json').match(/(?<="\$ref": "#\/)[^"]+/g))
    expect(references.size).toBeGreaterThan(5)
    for (const reference of references)
      expect(
        reference.split('/').reduce((at: unknown, key) => (at as Record<string, unknown>)[key], openApi),
      ).toBeDefined()
  })

  it('contains exactly the operations of the table', () => {
    const documented = Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, security }]) => [
        operationId,
        method,
        path,
        security !== undefined,
      ]),
    )
    const rows = Object.entries(operations) as [OperationName, OperationRow][]
    expect(new Set(documented)).toEqual(
      new Set(rows.map(([name, { method, path, by }]) => [name, method, path, by !== 'anyone'])),
    )
  })

  it('declares each parameter of a path', () => {
    for (const [path, methods] of Object.entries(openApi.paths))
      for (const { parameters = [] } of Object.values(methods))
        expect(parameters.filter((parameter) => (parameter as { in: string }).in === 'path')).toMatchObject(
          [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, required: true })),
        )
  })
})

describe('docs/asyncapi.json', () => {
  it('is an AsyncAPI 3.0 document', () => {
    const validate = withFormats(new Ajv({ strict: false, allErrors: true })).compile(asyncApiSchema)
    validate(asyncApi)
    expect(validate.errors).toBeNull()
    expect(asyncApi['asyncapi']).toBe('3.0.0')
  })

  const examples: { [T in EventType]?: unknown } = {
    'order.shipped': { orderId: uuidv7() },
    'order.cancelled': { orderId: uuidv7(), reason: 'changed my mind' },
    'order.confirmed': { orderId: uuidv7() },
    'order.placed': {
      orderId: uuidv7(),
      customerId: uuidv7(),
      lines: [{ sku: 'MUG', quantity: 1 }],
      total: { amount: 900, currency: 'EUR' },
    },
    'product.deleted': { productId: uuidv7(), sku: 'MUG', version: 2 },
  }
  it.each(Object.entries(examples))('describes the message that is published: %s', (type, data) => {
    const ajv = withFormats(new Ajv2020({ strict: false, allErrors: true }))
    ajv.addSchema({ $id: 'asyncapi', ...asyncApi })
    // the message as it is published
    const event = toCloudEvent({
      id: uuidv7(),
      type: type as EventType,
      source: sourceOf(catalogue[type as EventType].domain),
      subject: 'MUG',
      time: new Date(),
      data: catalogue[type as EventType].data.parse(data),
    })
    const sent: unknown = JSON.parse(String(HTTP.structured(event).body))
    const validate = ajv.compile({ $ref: `asyncapi#/components/messages/${type}/payload` })
    validate(sent)
    expect(validate.errors).toBeNull()
    expect(validate({ ...(sent as object), type: 'another' })).toBe(false)
    expect(validate({ ...(sent as object), data: {} })).toBe(false)
  })
})

describe('the local gateway', () => {
  let server: Server
  let base: string
  beforeAll(async () => {
    const shop = await listen(
      front(
        (request, response) => response.writeHead(418).end(request.url),
        () => ({ functions: { 'get-order': 1 } }),
      ),
      0,
    )
    server = shop.server
    base = `http://127.0.0.1:${shop.port}`
  })
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })

  it.each(['openapi.json', 'asyncapi.json'])('serves docs/%s unchanged', async (name) => {
    const response = await fetch(`${base}/${name}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.text()).toBe(text(`docs/${name}`))
  })

  it('serves a documentation page with all of its parts', async () => {
    const page = await fetch(`${base}/docs?x=1`)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const html = await page.text()
    expect(html).toMatch(/^<!doctype html>/)
    const parts = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path)
    expect(parts).toEqual(['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/docs.js'])
    const answers = await Promise.all(
      parts.map(async (part) => {
        const response = await fetch(base + part)
        return [response.status, response.headers.get('content-type'), (await response.bytes()).length > 100]
      }),
    )
    expect(answers).toEqual(
      ['text/css', 'text/javascript', 'text/javascript'].map((type) => [200, type, true]),
    )
    // the Content-Security-Policy allows no inline script
    expect(html).not.toMatch(/<script>/)
    expect(await (await fetch(`${base}/docs/docs.js`)).text()).toContain("url: '/openapi.json'")
  })

  it('reports on scaling', async () => {
    const response = await fetch(`${base}/_scale`)
    expect(await response.json()).toEqual({ functions: { 'get-order': 1 } })
  })

  it.each([
    ['GET', '/api/v1/orders?limit=1'],
    ['GET', '/docs/../api'],
    ['GET', '/docs/package.json'],
    ['POST', '/openapi.yaml'],
  ])('forwards all other requests: %s %s', async (method, path) => {
    const response = await fetch(base + path, { method })
    expect(response.status).toBe(418)
  })
})

describe('the check of responses in tests', () => {
  const id = uuidv7()
  const now = new Date().toISOString()
  const order = {
    id,
    customerId: id,
    status: 'placed',
    lines: [{ sku: 'MUG', name: 'Mug', quantity: 1, unitPrice: 900 }],
    total: { amount: 900, currency: 'EUR' },
    amounts: null,
    deliveryAddress: { name: 'A', street: 'B', postalCode: 'C', city: 'D', country: 'DE' },
    onShortage: 'cancel',
    shortage: null,
    note: null,
    reason: null,
    placedAt: now,
    updatedAt: now,
  }
  const problem = { type: 'https://zeroshop.dev/problems/not-found', title: 'None', status: 404 }
  interface Told {
    status?: number
    headers?: Record<string, string>
    body?: unknown
    method?: string
    path?: string
  }
  const check = (told: Told) => {
    const { status = 200, headers, body, method = 'GET', path = `/orders/${id}` } = { body: order, ...told }
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    checkAnswer(method, path, {
      status,
      headers: new Headers({ 'content-type': type, etag: '"1"', ...headers }),
      text: body === undefined ? '' : JSON.stringify(body),
      body,
    })
  }

  it('accepts documented responses', () => {
    check({})
    check({ path: `/api/v1/orders/${id}?x=1` })
    check({ status: 304, body: undefined })
    check({ status: 404, body: { ...problem, errors: [{ pointer: '/a', detail: 'b' }] } })
    check({ path: '/orders', body: { items: [order], next: 'x' } })
    check({ path: '/nothing', status: 404, body: problem })
    const who = { id, email: 'a@example.com', emailVerified: true, name: 'A', role: 'customer' }
    const user = { ...who, secondFactor: false, createdAt: now, updatedAt: now }
    const tokens = { accessToken: 'a', tokenType: 'Bearer', expiresIn: 900, refreshToken: 'b' }
    const logIn = { method: 'POST', path: '/sessions', status: 201, headers: { location: '/x' } }
    check({ ...logIn, body: { ...tokens, user } })
    // both combine schemas with allOf
    expect(() => check({ ...logIn, body: { ...tokens, user, extra: 1 } })).toThrow('unevaluated')
    expect(() => check({ ...logIn, body: { ...tokens, user: { ...user, extra: 1 } } })).toThrow('unevaluated')
  })

  const refused: [what: string, told: Told, message: RegExp][] = [
    ['a status', { status: 202 }, /202, which is not documented/],
    ['a status of problems', { status: 418, body: problem }, /418, which is not documented/],
    ['an operation', { path: '/nothing' }, /there is no such operation/],
    ['a type', { headers: { 'content-type': 'text/html' } }, /the type text\/html, which is not documented/],
    ['a body', { status: 204, method: 'DELETE', path: '/sessions/current' }, /a body that is not documented/],
    ['a field', { body: { ...order, extra: 1 } }, /unevaluated properties/],
    ['a field inside', { body: { ...order, total: { ...order.total, extra: 1 } } }, /properties/],
    ['a field in an array', { body: { ...order, lines: [{ ...order.lines[0], extra: 1 }] } }, /properties/],
    [
      'a field of a list’s item',
      { path: '/orders', body: { items: [{ ...order, extra: 1 }] } },
      /unevaluated properties/,
    ],
    ['a field of a problem', { status: 404, body: { ...problem, extra: 1 } }, /unevaluated properties/],
    ['another type of a field', { body: { ...order, note: 1 } }, /must be string/],
    ['another format', { body: { ...order, placedAt: 'yesterday' } }, /must match/],
    ['another value', { body: { ...order, status: 'lost' } }, /must be equal to one of the allowed values/],
  ]
  it.each(refused)('refuses %s that is not documented', (_, told, message) => {
    expect(() => check(told)).toThrow(message)
  })

  it('refuses a response that lacks a documented field or header', () => {
    expect(() => check({ body: { ...order, total: undefined } })).toThrow("required property 'total'")
    expect(() =>
      checkAnswer('GET', `/orders/${id}`, {
        status: 200,
        headers: new Headers({ 'content-type': 'application/json' }),
        text: JSON.stringify(order),
        body: order,
      }),
    ).toThrow('without the documented header ETag')
    expect(() => check({ status: 401, body: { ...problem, status: 401 } })).toThrow(
      'without the documented header WWW-Authenticate',
    )
  })
})
