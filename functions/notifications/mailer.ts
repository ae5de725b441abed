import { createTransport } from 'nodemailer'
import pLimit from 'p-limit'
import { Unavailable } from '../shared/store/store-errors.ts'
import { compose, type Mail, type MailSettings } from './mail.ts'

/** The longest that each step may take, in ms. Together they are shorter than `leaseSeconds` of mails.ts. */
const connectionMs = 5_000
const silentMs = 10_000
const mostMs = 30_000

/** How many connections to the mail server a process has at most. Many servers refuse more than a few. */
const connections = 3
/** How long a connection is kept that nothing is sent on, in ms. */
const idleMs = 10_000

/** Sends mails over a few connections, which are kept for the next ones. */
export interface Mailer {
  /** Runs work when a connection is free for its mail, so that no time is lost that an attempt has. */
  turn: <R>(work: () => Promise<R>) => Promise<R>
  /**
   * Sends a mail in plain text and HTML.
   * @returns `refused` if there is no such mailbox, which no retry can change
   * @throws Unavailable if the mail server cannot be reached or refuses it. The error says nothing about the recipient,
   *   because it is kept with the failed delivery
   */
  send: (mail: Mail) => Promise<'sent' | 'refused'>
}

const mailers = new WeakMap<MailSettings, Mailer>()

/** Returns the mailer of the settings. Functions that send no mails do not load it. */
export function mailerOf(settings: MailSettings): Mailer {
  const known = mailers.get(settings) ?? open(settings)
  mailers.set(settings, known)
  return known
}

function open(settings: MailSettings): Mailer {
  const { url, password, from } = settings
  const { hostname, port, username, protocol } = new URL(url)
  const transport = createTransport({
    pool: true,
    maxConnections: connections,
    idleTimeout: idleMs,
    // only if the server has closed a kept connection, and before anything of the mail was sent
    maxRequeues: 1,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port) || (protocol === 'smtps:' ? 465 : 587),
    secure: protocol === 'smtps:',
    // no password goes over a connection that is not encrypted
    ...(username === ''
      ? {}
      : { requireTLS: true, auth: { user: decodeURIComponent(username), pass: password } }),
    connectionTimeout: connectionMs,
    greetingTimeout: connectionMs,
    socketTimeout: silentMs,
    // nothing in a mail may be read from a file or fetched
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  settings.onClose(() => transport.close())
  return {
    turn: pLimit(connections),
    async send(mail) {
      // AbortSignal.timeout would make an error for each mail, long after it is sent
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), mostMs)
      try {
        await transport.sendMail({
          from,
          ...(await compose(settings, mail)),
          signal: late.signal,
        })
        return 'sent'
      } catch (error) {
        const { responseCode, command, code } = error as {
          responseCode?: number
          command?: string
          code?: string
        }
        if (command === 'RCPT TO' && responseCode !== undefined && responseCode >= 550 && responseCode <= 553)
          return 'refused'
        throw new Unavailable(
          `the mail server did not take the mail: ${[command, responseCode ?? code].filter(Boolean).join(' ')}`,
        )
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
