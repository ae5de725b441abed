import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResponseParser } from './response-parser.ts'
import type { ResponseHead } from './response-parser.ts'

interface Read {
  heads: ResponseHead[]
  body: string
  ends: number
  keepAlive: boolean
}

/** Reads `text`, cut at these places, as the answer to one request. */
function read(text: string, { method = 'GET', cuts = [] as number[], close = false } = {}): Read {
  const got: Read = { heads: [], body: '', ends: 0, keepAlive: false }
  const parser = new ResponseParser({
    onHead: (head) => got.heads.push(head),
    onBody: (chunk) => {
      got.body += chunk.toString('latin1')
    },
    onEnd: () => {
      got.ends += 1
    },
  })
  parser.expect(method)
  const bytes = Buffer.from(text, 'latin1')
  let from = 0
  for (const to of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    if (to > from) parser.push(bytes.subarray(from, to))
    from = Math.max(from, to)
  }
  if (close) parser.close()
  return { ...got, keepAlive: parser.keepAlive }
}

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

describe('a response', () => {
  it('of a given length ends there', () => {
    expect(read('HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello')).toEqual({
      heads: [{ status: 201, reason: 'Created', headers: ['Content-Length', '5', 'X-A', 'b'], length: 5 }],
      body: 'hello',
      ends: 1,
      keepAlive: true,
    })
  })

  it('in chunks ends with the empty one and its trailers', () => {
    const got = read(`${chunked}5\r\nhello\r\nA;name=value\r\n, there is\r\n0\r\nX-Sum: 1\r\n\r\n`)
    expect(got).toMatchObject({ body: 'hello, there is', ends: 1, keepAlive: true })
  })

  it('without a length ends with its connection', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nhello'
    expect(read(text)).toMatchObject({ body: 'hello', ends: 0 })
    expect(read(text, { close: true })).toMatchObject({ body: 'hello', ends: 1, keepAlive: false })
  })

  it('that is shorter than it said has no end', () => {
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', { close: true }).ends).toBe(0)
    expect(read(`${chunked}5\r\nhello\r\n`, { close: true }).ends).toBe(0)
  })

  it.each([
    ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
    ['of length 0', 'GET', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'],
  ])('%s has no body', (_, method, text) => {
    expect(read(text, { method })).toMatchObject({ body: '', ends: 1, keepAlive: true })
  })

  it('comes after those of one hundred and something', () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
    const got = read(`HTTP/1.1 100 Continue\r\n\r\n${early}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`)
    expect(got).toMatchObject({ heads: [{ status: 200 }], body: 'ok', ends: 1 })
  })

  it('may be the last of its connection', () => {
    expect(read('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n').keepAlive).toBe(false)
    expect(read('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n').keepAlive).toBe(false)
  })

  it.each([
    ['another protocol', 'Not a status line', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
    ['two lengths', 'Not a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n'],
    [
      'a length and chunks',
      'Two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    [
      'an unknown encoding',
      'Unknown transfer encoding',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    ],
    ['a negative length', 'Not a length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'],
    ['a header without a name', 'Not a header', 'HTTP/1.1 200 OK\r\n: 5\r\n\r\n'],
    ['a header without a colon', 'Not a header', 'HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n'],
    ['a chunk without a size', 'Not a chunk size', `${chunked}\r\nhello`],
    ['a chunk that is too long', 'A chunk is longer', `${chunked}1\r\nhello\r\n`],
    ['an upgrade nobody asked for', 'Nobody asked', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    [
      'a second response',
      'More than was asked for',
      'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    ],
    ['an endless head', 'too long', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(70_000)}`],
  ])('is refused for %s', (_, why, text) => {
    expect(() => read(text)).toThrow(why)
  })

  it('reads the same however it is cut', () => {
    const body = fc.string({ unit: 'binary-ascii', maxLength: 40 })
    const response = fc.oneof(
      body.map((text) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
      fc
        .array(body.filter((text) => text.length > 0))
        .map(
          (texts) =>
            chunked + texts.map((t) => `${t.length.toString(16)}\r\n${t}\r\n`).join('') + '0\r\n\r\n',
        ),
    )
    fc.assert(
      fc.property(response, fc.array(fc.nat(), { maxLength: 20 }), (text, cuts) => {
        expect(read(text, { cuts })).toEqual(read(text))
      }),
    )
  })
})
