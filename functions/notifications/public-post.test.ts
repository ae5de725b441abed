import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openAuthority } from '../../test/certificates.ts'
import { faultOfUrl, NotAnswered, postPublic, type Outside } from './public-post.ts'

/** Starts a server and returns its port. */
async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

const serve = (listener: RequestListener) => listening(createServer(listener))

const here: Outside = { allowsLoopback: true }
const post = (url: string, outside: Partial<Outside> = {}) =>
  postPublic(url, { headers: { 'x-test': 'yes' }, body: '{"a":"é"}' }, { ...here, ...outside })
const refusal = (url: string, outside: Partial<Outside> = {}) =>
  post(url, { allowsLoopback: false, ...outside }).then(
    (status) => String(status),
    (error: unknown) => (error instanceof NotAnswered ? error.message : `not expected: ${String(error)}`),
  )
/** Resolves any name to these addresses. */
const to = (...addresses: string[]) => ({ resolve: async () => addresses })

describe('a URL that somebody gives', () => {
  it.each([
    ['https://example.com/webhooks?a=1', undefined],
    ['https://hooks.example.co.uk:8443/', undefined],
    ['https://8.8.8.8/', undefined],
    ['https://[2606:4700:4700::1111]/', undefined],
    ['http://example.com/', 'an https URL'],
    ['ftp://example.com/', 'an https URL'],
    ['https://user:word@example.com/', 'a URL without a user or password'],
    ['https://example.com/#a', 'a URL without a fragment'],
    ['https://example.com:22/', 'a URL with the port 443 or 8443'],
    ['https://127.0.0.1/', 'a URL on the public internet'],
    ['https://2130706433/', 'a URL on the public internet'],
    ['https://0x7f.1/', 'a URL on the public internet'],
    ['https://0177.0.0.1/', 'a URL on the public internet'],
    ['https://127.1/', 'a URL on the public internet'],
    ['https://169.254.169.254/latest/meta-data/', 'a URL on the public internet'],
    ['https://[::1]/', 'a URL on the public internet'],
    ['https://[::ffff:10.0.0.1]/', 'a URL on the public internet'],
    ['https://[64:ff9b::a00:1]/', 'a URL on the public internet'],
    ['https://localhost/', 'a URL with the full name of a host'],
    ['https://postgres/', 'a URL with the full name of a host'],
    ['https://', 'a URL such as https://example.com/webhooks'],
  ])('%s: %s', (url, fault) => {
    expect(faultOfUrl(url, { allowsLoopback: false })).toBe(fault)
  })

  it('may be of this machine, without TLS, only where that is allowed', () => {
    for (const url of [
      'http://127.0.0.1:8080/',
      'http://localhost:1/',
      'http://[::1]:1/',
      'https://127.0.0.1:1/',
    ])
      expect([faultOfUrl(url, here), faultOfUrl(url, { allowsLoopback: false }) === undefined]).toEqual([
        undefined,
        false,
      ])
    expect(faultOfUrl('http://10.0.0.1/', here)).toBe('an https URL')
    expect(faultOfUrl('ftp://localhost/', here)).toBe('an http or https URL')
  })
})

describe('a request', () => {
  it('has the body and the headers, and the name of the host', async () => {
    const got: unknown[] = []
    const port = await serve((request, response) => {
      void text(request).then((body) => {
        got.push([request.method, request.url, request.headers['x-test'], request.headers.host, body])
        response.writeHead(201).end('done')
      })
    })
    expect(await post(`http://localhost:${port}/a?b=c`, to('127.0.0.1'))).toBe(201)
    expect(got).toEqual([['POST', '/a?b=c', 'yes', `localhost:${port}`, '{"a":"é"}']])
  })

  it.each([
    ['private', ['10.0.0.1']],
    ['of loopback', ['127.0.0.1']],
    ['of IPv6 loopback', ['::1']],
    ['link-local', ['169.254.169.254']],
    ['of carrier-grade NAT', ['100.64.0.1']],
    ['multicast', ['224.0.0.1']],
    ['IPv4-mapped', ['::ffff:10.0.0.1']],
    ['of NAT64', ['64:ff9b::10.0.0.1']],
    ['private, beside one that is public', ['8.8.8.8', '10.0.0.1']],
  ])('is not sent to a name whose address is %s', async (_, addresses) => {
    expect(await refusal('https://hooks.example.com/', to(...addresses))).toBe(
      'its address is not on the public internet',
    )
  })

  it('is not sent to a URL that is refused, whatever was stored', async () => {
    expect(await refusal('http://example.com/')).toBe('the URL is refused: it must be an https URL')
    expect(await refusal('https://127.0.0.1/')).toBe(
      'the URL is refused: it must be a URL on the public internet',
    )
  })

  it('goes to the address that was checked, whatever the name stands for a moment later', async () => {
    let reached = 0
    const port = await serve((_, response) => {
      reached++
      response.end()
    })
    let asked = 0
    // the second answer would be refused, and the third does not exist
    const resolve = async () => [['127.0.0.1'], ['10.0.0.1']][asked++]!
    expect(await post(`http://localhost:${port}/`, { resolve })).toBe(200)
    expect([reached, asked]).toEqual([1, 1])
  })

  it('tries another address if the first cannot be reached', async () => {
    const port = await serve((_, response) => response.end())
    expect(await post(`http://localhost:${port}/`, to('127.0.0.2', '127.0.0.1'))).toBe(200)
  })

  it('does not follow redirects', async () => {
    let reached = 0
    const inner = await serve((_, response) => {
      reached++
      response.end()
    })
    const port = await serve((_, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${inner}/` }).end(),
    )
    expect(await post(`http://127.0.0.1:${port}/`)).toBe(307)
    expect(reached).toBe(0)
  })

  it('reads no more than 64 KiB of the answer', async () => {
    let sent = 0
    const closed = Promise.withResolvers<void>()
    const port = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024))) sent += 16 * 1024
      }
      response.on('drain', more).on('close', () => closed.resolve())
      more()
    })
    expect(await post(`http://127.0.0.1:${port}/`)).toBe(200)
    await closed.promise
    // with what the buffers of both sides hold
    expect(sent).toBeLessThan(16 * 1024 * 1024)
  })

  it.each([
    ['does not answer', () => {}],
    [
      'sends its head slowly',
      (_: unknown, response: { socket: { write: (text: string) => void } }) =>
        response.socket.write('HTTP/1.1 2'),
    ],
  ] as const)('ends after a while if the other side %s', async (_, listener) => {
    const port = await serve(listener as RequestListener)
    await expect(post(`http://127.0.0.1:${port}/`, { timeoutMs: 200 })).rejects.toThrow(
      new NotAnswered('no answer within 0.2 s'),
    )
  })

  it('ends after a while if a name is not resolved', async () => {
    const resolve = () => new Promise<string[]>(() => {})
    await expect(post('http://localhost:1/', { resolve, timeoutMs: 100 })).rejects.toThrow(
      new NotAnswered('no answer within 0.1 s'),
    )
  })

  it('has succeeded if the status has come, and the rest of the answer does not', async () => {
    const port = await serve((_, response) => response.writeHead(200).write('a'))
    expect(await post(`http://127.0.0.1:${port}/`, { timeoutMs: 300 }).catch(String)).toBe(200)
  })

  it.each([
    ['nobody listens', to('127.0.0.1'), 'no connection: ECONNREFUSED'],
    ['the name has no address', to(), 'its name has no address'],
    [
      'there is no such name',
      { resolve: () => Promise.reject(new Error('getaddrinfo ENOTFOUND 10.0.0.53')) },
      'its name cannot be resolved',
    ],
  ])('says why nothing was answered if %s', async (_, outside, why) => {
    const port = await serve(() => {})
    const server = createServer()
    const free = await listening(server)
    server.close()
    await expect(post(`http://localhost:${free}/`, outside)).rejects.toThrow(new NotAnswered(why))
    expect(port).not.toBe(free)
  })

  it('goes only to a server with a certificate for the name', async () => {
    const authority = openAuthority()
    const port = await listening(
      createSecureServer(authority.sign('localhost'), (_, response) => response.end()),
    )
    const other = await listening(
      createSecureServer(authority.sign('other.example.com', '127.0.0.1'), (_, response) => response.end()),
    )
    const ca = authority.pem
    expect(await post(`https://localhost:${port}/`, { ...to('127.0.0.1'), ca })).toBe(200)
    await expect(post(`https://localhost:${other}/`, { ...to('127.0.0.1'), ca })).rejects.toThrow(
      'no connection: ERR_TLS_CERT_ALTNAME_INVALID',
    )
    expect(await post(`https://127.0.0.1:${other}/`, { ca })).toBe(200)
    await expect(post(`https://localhost:${port}/`, to('127.0.0.1'))).rejects.toThrow(NotAnswered)
  })
})
