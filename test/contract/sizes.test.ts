import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { OperationName } from '../../functions/table.ts'
import { expectProblem } from '../problems.ts'
import { contractOf, takesBody, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

const headers = { 'content-type': 'application/json', 'idempotency-key': 'large' }

/** The maximum size of an operation's body, in bytes. */
const mostOf = (name: OperationName) => contractOf(name).maxBody ?? 100 * 1024

function* pieces(size: number) {
  for (let left = size; left > 0; left -= 16_000) yield Buffer.alloc(Math.min(left, 16_000), ' ')
}

describe('a body', () => {
  it.each(those(({ method, uploadMiB }) => method !== 'get' && uploadMiB === undefined))(
    'may not be too large: %s',
    async (name) => {
      const size = mostOf(name) + 1
      const detail = `Send at most ${mostOf(name) / 1024} KiB.`
      for (const more of [{ 'content-length': String(size) }, { 'transfer-encoding': 'chunked' }])
        expectProblem(
          await contract.sendRaw(name, { ...headers, ...more }, pieces(size)),
          'body-too-large',
          detail,
        )
    },
  )

  it.each(those(takesBody))('may have the maximum size: %s', async (name) => {
    const { as } = await contract.callerOf(name)
    const { shop } = contract
    const user = typeof as === 'string' ? shop.users[as] : as
    const authorization = user && { authorization: `Bearer ${await shop.sign(user)}` }
    const size = mostOf(name)
    const detail = 'The body is not valid JSON.'
    for (const more of [{ 'content-length': String(size) }, { 'transfer-encoding': 'chunked' }])
      expectProblem(
        await contract.sendRaw(name, { ...headers, ...authorization, ...more }, pieces(size)),
        'invalid-request',
        detail,
        [{ pointer: '/body', detail }],
      )
  })

  const piece = 1_000_000
  it.concurrent.each([
    ['of a known length', `content-length: ${5 * piece}`, 'x'.repeat(piece), ''],
    [
      'in chunks',
      'transfer-encoding: chunked',
      `${piece.toString(16)}\r\n${'x'.repeat(piece)}\r\n`,
      '0\r\n\r\n',
    ],
  ])(
    'keeps the connection usable for the next request, however large and slow it is: %s',
    async (_, header, piece, end) => {
      const [, { path }] = those(takesBody).find(([, { method, by }]) => method === 'post' && by === 'user')!
      const post = `POST ${path.replaceAll(/\{\w+\}/g, 'x')} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`
      const socket = connect(contract.port, '127.0.0.1')
      socket.write(`${post}${header}\r\n\r\n`)
      for (let sent = 0; sent < 5; sent++) {
        socket.write(piece)
        // in total longer than the half second after which the server's library would close the connection
        await pause(150)
      }
      socket.end(`${end}${post}content-length: 2\r\nconnection: close\r\n\r\n{}`)
      const answers = await text(socket)
      expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 401'])
    },
  )
})
