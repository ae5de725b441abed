import { createServer, type AddressInfo, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { SMTPServer, SMTPServerDataStream } from 'smtp-server'
import type { Handler } from '../front.ts'
import { sendProblem } from '../activator/problem.ts'
import { openMailbox } from './mailbox.ts'

/** The largest mail, in bytes. */
const mostBytes = 1_000_000

/** A mail server on this machine, which sends nothing on. Its mails can be read at `/_mail`. */
export interface MailSink {
  port: number
  handle: Handler
  close: () => Promise<void>
}

/**
 * Opens the mail server. Until the first mail comes, it is only a port: the SMTP server, and the page, are loaded when
 * they are used.
 */
export async function openMailSink(folder: string, log: (line: string) => void): Promise<MailSink> {
  const mailbox = openMailbox(folder)
  let smtp: Promise<SMTPServer> | undefined
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => {}))
    smtp ??= openSmtp((raw) => mailbox.add(raw), log)
    smtp.then(
      (opened) => opened.server.emit('connection', socket),
      (error: unknown) => {
        log(`cannot be opened: ${String(error)}`)
        socket.destroy()
      },
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    // it listens on a port
    port: (server.address() as AddressInfo).port,
    handle(request, response) {
      import('./page.ts').then(
        ({ answer }) => answer(mailbox, request, response),
        (error: unknown) => {
          log(`cannot be shown: ${String(error)}`)
          sendProblem(response, 'bad-gateway')
        },
      )
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Opens an SMTP server that is given its connections, and adds each mail to the mailbox. */
async function openSmtp(add: (raw: Buffer) => void, log: (line: string) => void): Promise<SMTPServer> {
  const { SMTPServer } = await import('smtp-server')
  const keep = async (stream: SMTPServerDataStream): Promise<Error | null> => {
    try {
      const raw = await buffer(stream)
      if (stream.sizeExceeded) return refusal('the mail is too large', 552)
      add(raw)
      return null
    } catch (error) {
      // the disk may be full
      log(`cannot keep a mail: ${String(error)}`)
      return refusal('the mail cannot be kept', 452)
    }
  }
  const smtp = new SMTPServer({
    size: mostBytes,
    // connections do not leave this machine
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData(stream, _session, answer) {
      void keep(stream).then(answer)
    },
  })
  smtp.on('error', () => {})
  return smtp
}

/** Why a mail is refused, with the code that its sender gets. */
const refusal = (message: string, responseCode: number) => Object.assign(new Error(message), { responseCode })

/** Has the mail server's page answer requests for its paths. It decides itself for which hosts. */
export const withMail =
  (mail: Handler, next: Handler): Handler =>
  (request, response) =>
    isOfMail.test(request.url ?? '') ? mail(request, response) : next(request, response)

const isOfMail = /^\/_mail(?:[/?]|$)/
