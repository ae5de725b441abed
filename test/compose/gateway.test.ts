import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { shop } from './shop.ts'

beforeAll(() => shop.client())

/** Sends a request without the API client, because much of what the gateway serves is not part of the API. */
const get = (path: string, headers: Record<string, string> = {}) => fetch(shop.url + path, { headers })

describe('the gateway', () => {
  it('speaks HTTP/2 over TLS', async () => {
    expect(await shop.getOverHttp2('/openapi.json')).toEqual({ status: 200, protocol: 'h2' })
  })

  it('redirects requests without TLS to HTTPS', async () => {
    const response = await fetch(`${shop.plainUrl}/docs?x=1`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([308, `${shop.url}/docs?x=1`])
  })

  it('serves the documents and all parts of the documentation page', async () => {
    const page = await get('/docs')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const html = await page.text()
    const linked = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    expect(linked.length).toBeGreaterThan(2)
    for (const path of [...linked, '/openapi.json', '/asyncapi.json'])
      expect([path, (await get(path)).status]).toEqual([path, 200])
  })

  it('has a page at its root for people, programs and load balancers', async () => {
    const page = await get('/', { accept: 'text/html,*/*;q=0.8' })
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await page.text()).toContain('href="/docs"')
    const program = await get('/')
    expect(await program.json()).toMatchObject({ documentation: '/docs', products: '/api/v1/products' })
    for (const { headers } of [page, program]) expect(headers.get('vary')).toContain('Accept')
    const head = await fetch(shop.url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('sends a document once, and after that only if it has changed', async () => {
    for (const path of ['/docs', '/docs/swagger-ui-bundle.js', '/openapi.json']) {
      const etag = (await get(path, { 'accept-encoding': 'gzip' })).headers.get('etag')!
      const again = await get(path, { 'accept-encoding': 'gzip', 'if-none-match': etag })
      expect([path, again.status]).toEqual([path, 304])
    }
  })

  it('compresses large responses', async () => {
    const response = await get('/openapi.json', { 'accept-encoding': 'gzip' })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(await response.json()).toHaveProperty('openapi')
  })

  it('sends security headers to browsers', async () => {
    const { headers } = await get('/api/v1/products')
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
    // the host may also serve other sites
    expect(headers.get('strict-transport-security')).toBeNull()
    expect(headers.get('server')).toBeNull()
  })

  it('gives each request an id, or keeps a valid one', async () => {
    const idOf = async (id?: string) =>
      (await get('/api/v1/products', id === undefined ? {} : { 'x-request-id': id })).headers.get(
        'x-request-id',
      )
    expect(await idOf('order-4711')).toBe('order-4711')
    const made = [await idOf(), await idOf(), await idOf('no good one'), await idOf('x'.repeat(129))]
    for (const id of made) expect(id).toMatch(/^[\da-f]{8}-/)
    expect(new Set(made).size).toBe(made.length)
  })

  const problem = (type: string) => ({ type: `https://zeroshop.dev/problems/${type}` })

  it('returns a problem for an unknown path', async () => {
    for (const path of [
      '/api/v1/nothing',
      '/api/v1/orders/a/b',
      '/api/v1/orders/a%2Fb',
      '/health/liveness',
    ]) {
      const response = await get(path)
      expect([path, response.status, response.headers.get('content-type')]).toEqual([
        path,
        404,
        'application/problem+json',
      ])
      expect(await response.json()).toMatchObject(problem('not-found'))
    }
  })

  it('lists the methods of a path in the Allow header', async () => {
    const response = await fetch(`${shop.url}/api/v1/orders`, { method: 'DELETE' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect(await response.json()).toMatchObject(problem('method-not-allowed'))
  })

  it('sends the headers for browsers with its own errors, too, and does not name its server', async () => {
    for (const path of ['/nothing', '/api/v1/products?limit=0']) {
      const { headers } = await get(path, { 'x-request-id': 'order-4711' })
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cache-control': 'no-store',
        'x-request-id': 'order-4711',
      })
      expect(headers.get('server')).toBeNull()
      expect(headers.get('via')).toBeNull()
    }
    const { headers } = await fetch(shop.plainUrl, { redirect: 'manual' })
    expect(headers.get('server')).toBeNull()
  })

  it.each([
    ['an unknown Host', 'GET /docs HTTP/1.1\r\nHost: shop.example.org\r\nConnection: close\r\n\r\n', 421],
    ['an odd Host', 'GET /docs HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n', 400],
    ['an address with five parts', 'GET /docs HTTP/1.1\r\nHost: 1.2.3.4.5\r\nConnection: close\r\n\r\n', 400],
    [
      'a wrong chunk',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n',
      400,
    ],
  ])('refuses %s with a problem', async (_, request, status) => {
    const { hostname, port } = new URL(shop.url)
    const socket = connectTls({ host: hostname, port: Number(port), servername: 'localhost' })
    socket.write(request)
    const answer = await text(socket)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im)
    expect(answer).toMatch(/^x-request-id: \S+\r$/im)
    expect(answer).not.toMatch(/^server:/im)
  })

  it('lets no page of another origin call the shop unless CORS_ORIGINS names it', async () => {
    const origin = 'https://shop.example.org'
    const { headers } = await get('/api/v1/products', { origin })
    expect(headers.get('access-control-allow-origin')).toBeNull()
    const preflight = await fetch(`${shop.url}/api/v1/orders`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(405)
  })

  it('handles HEAD like GET', async () => {
    const response = await fetch(`${shop.url}/api/v1/products`, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it('refuses a body that is larger than any function accepts', async () => {
    const response = await fetch(`${shop.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: 'x'.repeat(1_100_000),
    })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject(problem('body-too-large'))
  })

  it('is the only published service beside the page of the mails, and only on this machine', async () => {
    const published = (await shop.compose('ps', '--format', 'json'))
      .split('\n')
      .filter(Boolean)
      // printed by docker compose
      .map(
        (line) =>
          JSON.parse(line) as {
            Service: string
            Publishers: { URL: string; PublishedPort: number }[] | null
          },
      )
      .flatMap(({ Service, Publishers }) =>
        (Publishers ?? [])
          .filter(({ PublishedPort }) => PublishedPort > 0)
          .map(({ URL }) => `${Service} ${URL}`),
      )
    expect(new Set(published)).toEqual(new Set(['gateway 127.0.0.1', 'maildev 127.0.0.1']))
  })

  it('can listen on ports 80 and 443, although it is not root', async () => {
    const start = 'caddy start --config /etc/caddy/Caddyfile --adapter caddyfile'
    const settings = '-e HTTP_PORT=80 -e HTTPS_PORT=443'
    const said = await shop.compose(...`run --rm --no-deps ${settings} gateway ${start}`.split(' '))
    expect(said).toContain('Successfully started Caddy')
  })

  it('gets a certificate for the public name in SITE, and uses ports 80 and 443', async () => {
    const settings = '-e SITE=shop.example.org -e HTTP_PORT=80 -e HTTPS_PORT=443'
    const adapt = 'caddy adapt --config /etc/caddy/Caddyfile'
    const adapted = await shop.compose(...`run --rm --no-deps ${settings} gateway ${adapt}`.split(' '))
    // printed by Caddy
    const { apps } = JSON.parse(adapted) as {
      apps: {
        http: {
          http_port: number
          https_port: number
          servers: Record<string, { listen: string[]; routes: { match: { host: string[] }[] }[] }>
        }
        tls?: unknown
      }
    }
    const { http_port, https_port, servers } = apps.http
    expect([http_port, https_port]).toEqual([80, 443])
    const server = Object.values(servers).find(({ listen }) => listen[0] === ':443')
    expect(server!.routes[0]!.match).toEqual([{ host: ['shop.example.org'] }])
    // Caddy's default, which is ACME for a public name
    expect(apps.tls).toBeUndefined()
  })
})
