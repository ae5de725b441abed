import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as startTls, type ConnectionOptions } from 'node:tls'
import { noTls } from './store-errors.ts'

/** What postgres.js wants to connect to. */
interface Target {
  host: string[]
  port: number[]
  path?: string | false
}

interface Options {
  /** If undefined, connections are not encrypted. */
  tls: ConnectionOptions | undefined
  /** The longest that the server may take to respond, in ms. */
  silentMs: number
  /** The longest that the server may take to agree to TLS, in ms. */
  connectMs: number
}

/**
 * Returns a function that opens sockets for postgres.js. A socket fails if the database closes the connection,
 * or does not respond in time. A host that disappears sends nothing, and TCP itself keeps retransmitting for a
 * quarter of an hour. A pooler whose database is down accepts connections and closes them again; postgres.js
 * may then reconnect forever without rejecting the waiting query.
 */
export function openSockets({ tls, silentMs, connectMs }: Options) {
  let turn = 0
  return async ({ host, port, path }: Target): Promise<Duplex> => {
    const at = turn++ % host.length
    const name = host[at]!
    if (path) return impatient(connect(path), silentMs)
    const socket = connect(port[at]!, name)
    // the client's errors name the host
    if (tls === undefined) return Object.assign(impatient(socket, silentMs), { host: name })
    try {
      await agreeOnTls(socket, connectMs)
    } catch (error) {
      socket.destroy()
      return failing(error as Error)
    }
    const servername = isIP(name) === 0 ? { servername: name } : {}
    const secured = startTls({ socket, host: name, ...servername, ...tls })
    return Object.assign(impatient(secured, silentMs), { host: name })
  }
}

function impatient(socket: Socket, silentMs: number): Socket {
  let patience: NodeJS.Timeout | undefined
  let failed: Error | undefined
  const calm = () => {
    clearTimeout(patience)
    patience = undefined
  }
  const fail = (code: string, message: string) => socket.destroy(Object.assign(new Error(message), { code }))
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
  socket.write = (...args: unknown[]) => {
    patience ??= setTimeout(fail, silentMs, 'ETIMEDOUT', 'the database is silent').unref()
    return write(...args)
  }
  return (
    socket
      .on('data', calm)
      .on('end', () => fail('ECONNRESET', 'the database has closed the connection'))
      .on('close', () => {
        calm()
        // rejects also what was sent between the error and this
        if (failed !== undefined) socket.emit('error', failed)
      })
      // An error before the client has its own listener would end the process. The client reports its connect
      // timeout instead.
      .on('error', (error: Error) => (failed = error))
  )
}

/** PostgreSQL's SSLRequest: its length, and a number in place of the protocol's version. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/**
 * Asks the server for TLS.
 * @throws Error if the server cannot be reached or offers no TLS
 */
async function agreeOnTls(socket: Socket, connectMs: number): Promise<void> {
  const fail = (code: string, message: string) => socket.destroy(Object.assign(new Error(message), { code }))
  const timer = setTimeout(fail, connectMs, 'CONNECT_TIMEOUT', 'the database is silent')
  const onEnd = () => fail('ECONNRESET', 'the database has closed the connection')
  socket.write(sslRequest)
  socket.on('end', onEnd).on('error', () => {})
  try {
    const [answer] = (await once(socket, 'data')) as [Buffer]
    // what follows the letter before TLS has begun could come from anybody
    if (answer.toString('latin1') !== 'S')
      throw Object.assign(new Error('the database offers no TLS'), { code: noTls })
  } finally {
    clearTimeout(timer)
    socket.off('end', onEnd)
  }
}

/**
 * Returns a stream that fails when the client writes to it. Before, the client is not ready for an error; and if
 * there were no stream, it would never try again.
 */
const failing = (error: Error) => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(error) })
