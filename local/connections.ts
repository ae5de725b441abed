// Keep-alive connections to one process.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { ResponseParser } from './response-parser.ts'
import type { ResponseHandler } from './response-parser.ts'

/** How long before the other side's time-out a connection is no longer used, as node:http's Agent does. */
const TIMEOUT_BUFFER_MS = 1000

/** Whoever uses a connection. */
export interface User extends ResponseHandler {
  onConnect: () => void
  onDrain: () => void
  /** Everything that arrived together has been handed over. */
  onPause: () => void
  onBroken: (error?: NodeJS.ErrnoException) => void
}

/** A connection that serves one exchange after the other. */
export class Connection {
  readonly socket: Socket
  readonly parser: ResponseParser
  connected = false
  /** Whether it carried another exchange before. */
  reused = false
  /** Whether anything has come back in this exchange. */
  heard = false
  idleSince = 0
  user: User | undefined

  constructor(port: number, onClose: (connection: Connection) => void) {
    this.parser = new ResponseParser({
      onHead: (head) => this.user?.onHead(head),
      onBody: (chunk) => this.user?.onBody(chunk),
      onEnd: () => this.user?.onEnd(),
    })
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('connect', () => {
      this.connected = true
      this.user?.onConnect()
    })
    this.socket.on('data', (chunk) => this.received(chunk))
    this.socket.on('drain', () => this.user?.onDrain())
    this.socket.on('end', () => this.parser.close())
    this.socket.on('error', (error) => this.user?.onBroken(error))
    this.socket.on('close', () => {
      onClose(this)
      this.user?.onBroken()
    })
  }

  private received(chunk: Buffer | string): void {
    const { user } = this
    this.heard = true
    try {
      this.parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    } catch {
      this.socket.destroy()
      this.user?.onBroken()
      return
    }
    // Only whoever it was for, not the next one who may have taken the connection meanwhile.
    if (user === this.user) user?.onPause()
  }
}

/** The connections to 127.0.0.1:port: as many as are in use, the one used last first. */
export class Connections {
  private readonly port: number
  private readonly free: Connection[] = []
  private closed = false

  constructor(port: number) {
    this.port = port
  }

  /** A connection that is idle, or a new one that is not connected yet. */
  take(): Connection {
    for (let connection = this.free.pop(); connection; connection = this.free.pop()) {
      const keptMs = connection.parser.keepAliveSeconds * 1000 - TIMEOUT_BUFFER_MS
      if (!connection.socket.destroyed && performance.now() - connection.idleSince < keptMs) {
        connection.reused = true
        return connection
      }
      connection.socket.destroy()
    }
    return new Connection(this.port, (gone) => {
      const at = this.free.indexOf(gone)
      if (at !== -1) this.free.splice(at, 1)
    })
  }

  give(connection: Connection): void {
    connection.user = undefined
    if (this.closed) {
      connection.socket.destroy()
      return
    }
    connection.idleSince = performance.now()
    this.free.push(connection)
  }

  /** Ends what is idle now, and what is in use once it is given back. */
  close(): void {
    this.closed = true
    this.drop()
  }

  /** Ends what is idle: one turned out to be broken, so the others may be. */
  drop(): void {
    for (const connection of this.free.splice(0)) connection.socket.destroy()
  }
}
