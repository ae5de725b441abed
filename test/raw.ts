import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Answered } from './shop.ts'

/**
 * Sends bytes that no HTTP client would send, and reads until the server closes the connection.
 * @param request each character is a byte
 */
export async function sendBytes(port: number, request: string): Promise<Answered> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request, 'latin1')
  const answer = await text(socket)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((header) => header.split(': ') as [string, string]))
  const isJson = /json/.test(headers.get('content-type') ?? '')
  return {
    status: Number(line.split(' ')[1]),
    headers,
    text: body,
    body: isJson ? JSON.parse(body) : undefined,
  }
}
