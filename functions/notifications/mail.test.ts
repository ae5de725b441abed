import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { text } from 'node:stream/consumers'
import { randomUUID } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { orderOf } from './fixtures.ts'
import { compose } from './mail.ts'
import { mails, notifications } from './notification.ts'
import { openUnsubscribing } from './unsubscribing.ts'

let shop: TestShop
let server: SMTPServer
/** What the mail server has taken. */
const taken: { to: string; raw: string }[] = []
/** How it refuses a recipient, or the content of a mail. */
let refuses: { recipient?: number; content?: number; only?: string } = {}
/** Resolves when the content of a mail has come, and before the server answers. */
let holding: { came: PromiseWithResolvers<void>; answer: Promise<void> } | undefined

const refusal = (responseCode: number | undefined) =>
  responseCode === undefined ? null : Object.assign(new Error('no'), { responseCode })

beforeAll(async () => {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, answer) => {
      const isRefused = refuses.only === undefined || refuses.only === address
      answer(refusal(isRefused ? refuses.recipient : undefined))
    },
    onData: (stream, session, answer) => {
      void text(stream).then(async (raw) => {
        const held = holding
        held?.came.resolve()
        await held?.answer
        if (refuses.content === undefined) taken.push({ to: session.envelope.rcptTo[0]!.address, raw })
        answer(refusal(refuses.content))
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  shop = await openShop(['notifications'], {
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    MAIL_FROM: 'The Shop <shop@shop.example>',
    SHOP_URL: 'https://shop.example/',
  })
})
afterAll(async () => {
  await shop.close()
  await new Promise<void>((resolve) => server.close(resolve))
})
afterEach(() => {
  refuses = {}
  holding = undefined
})

/** Gives a user an address, as the users domain announces it. */
async function reach(user: User, email = `${uuidv7()}@example.com`, name = 'Ada') {
  const contactId = uuidv7()
  await shop.leaveSecret('notifications', contactId, JSON.stringify({ email, name }))
  await shop.react('keep-contact', 'user.contact-changed', { userId: user.id, contactId })
  return email
}

/** Tells a user something, and returns the event that announces it. */
async function tell(user: User) {
  const orderId = await orderOf(shop, user.id)
  await shop.react('notify-customer', 'order.confirmed', { orderId })
  return announced(user)
}

/** Returns the newest event that announces a notification of a user. */
async function announced(user: User) {
  const events = (await shop.emitted()).filter(
    ({ type, data }) => type === 'notification.created' && (data as { userId: string }).userId === user.id,
  )
  const { id, data } = events.at(-1)!
  return shop.eventOf('notification.created', data as { notificationId: string; userId: string }, { id })
}

const send = (event: Awaited<ReturnType<typeof announced>>) => shop.handle('send-mail', event)
const mailsTo = (address: string) => taken.filter(({ to }) => to === address)
const parsed = async (address: string) => PostalMime.parse(mailsTo(address)[0]!.raw)
const stateOf = async ({ data: { notificationId } }: Awaited<ReturnType<typeof announced>>) => {
  const { db } = shop.deps('notifications')
  return (await db.select().from(mails).where(eq(mails.id, notificationId)))[0]
}
/** Ends the lease of an attempt, as time does. */
const endLease = () =>
  shop
    .deps('notifications')
    .db.update(mails)
    .set({ lease: sql`now() - interval '1 s'` })

describe('a mail', () => {
  it('says in text and HTML what the list says, and who it is for', async () => {
    const user = shop.newUser()
    const email = await reach(user, undefined, 'Ada <b>&amp;</b>')
    await send(await tell(user))
    const [{ title, text: told }] = (await shop.get('/notifications', { as: user })).body.items
    const mail = await parsed(email)
    expect(mail).toMatchObject({
      subject: title,
      from: { name: 'The Shop', address: 'shop@shop.example' },
      to: [{ name: 'Ada <b>&amp;</b>', address: email }],
    })
    expect(mail.text).toContain(told)
    expect(mail.text).toContain('Hello Ada <b>&amp;</b>,')
    expect(mail.html).toContain('Hello Ada &lt;b&gt;&amp;amp;&lt;/b&gt;,')
    expect(mail.html).not.toContain('<b>')
  })

  it('is in the language of the user', async () => {
    const user = shop.newUser()
    const email = await reach(user)
    await shop.react('keep-language', 'customer.language-changed', { userId: user.id, language: 'es' })
    await send(await tell(user))
    expect(await parsed(email)).toMatchObject({ subject: 'Tu pedido está confirmado' })
    expect(
      Object.fromEntries((await parsed(email)).headers.map(({ key, value }) => [key, value])),
    ).toMatchObject({
      'content-language': 'es',
      'auto-submitted': 'auto-generated',
    })
  })

  it('cannot be given headers by a name', async () => {
    const mail = await compose(
      { from: 'shop@shop.example', shopUrl: 'https://shop.example' },
      {
        id: uuidv7(),
        to: 'ada@example.com',
        name: 'Ada\r\nBcc: eve@example.com',
        why: 'security',
        language: 'en',
        title: 'A title',
        text: 'A text.',
      },
    )
    expect(Object.keys(mail.headers)).toEqual(['Auto-Submitted', 'Content-Language'])
    expect(mail.to).toEqual({ name: 'Ada\r\nBcc: eve@example.com', address: 'ada@example.com' })
  })

  it('is sent once, however often its event is delivered', async () => {
    const user = shop.newUser()
    const email = await reach(user)
    const event = await tell(user)
    await send(event)
    await send(event)
    await shop.handle('send-mail', { ...event, id: uuidv7() })
    expect(mailsTo(email)).toHaveLength(1)
    expect(await stateOf(event)).toMatchObject({ status: 'sent', attempts: 1 })
  })

  it('is sent once by deliveries at the same time, of which the others fail for now', async () => {
    const user = shop.newUser()
    const email = await reach(user)
    const event = await tell(user)
    const answer = Promise.withResolvers<void>()
    holding = { came: Promise.withResolvers<void>(), answer: answer.promise }
    const first = send(event)
    await holding.came.promise
    await expect(send(event)).rejects.toThrow('another attempt is sending the mail')
    answer.resolve()
    await first
    await send(event)
    expect(mailsTo(email)).toHaveLength(1)
  })

  it('is sent again, with the same Message-ID, only if a process died before it knew that it was taken', async () => {
    const user = shop.newUser()
    const email = await reach(user)
    const event = await tell(user)
    const { db } = shop.deps('notifications')
    // what a process that was killed leaves behind
    const lease = sql`now() + interval '1 minute'`
    const id = event.data.notificationId
    await db.insert(mails).values({ id, userId: user.id, status: 'sending', attempts: 1, lease })
    await expect(send(event)).rejects.toThrow('another attempt')
    expect(mailsTo(email)).toEqual([])
    await endLease()
    await send(event)
    expect(await parsed(email)).toMatchObject({ messageId: `<${id}@shop.example>` })
  })

  it.each([
    ['the content', { content: 451 }, 'the mail server did not take the mail: DATA 451'],
    ['the recipient, for now', { recipient: 450 }, 'the mail server did not take the mail: RCPT TO 450'],
    ['mails of this sender', { recipient: 554 }, 'the mail server did not take the mail: RCPT TO 554'],
  ])('is sent later if the server refuses %s, and the error names nobody', async (_, how, why) => {
    const user = shop.newUser()
    const email = await reach(user)
    const event = await tell(user)
    refuses = how
    await expect(send(event)).rejects.toThrow(new Error(why))
    expect(await stateOf(event)).toMatchObject({ status: 'failed', attempts: 1 })
    refuses = {}
    await send(event)
    expect(mailsTo(email)).toHaveLength(1)
    expect(await stateOf(event)).toMatchObject({ status: 'sent', attempts: 2 })
  })

  it('goes over a connection that is kept, with many others, and again if the server has closed it', async () => {
    let opened = 0
    const count = () => opened++
    server.server.on('connection', count)
    onTestFinished(() => void server.server.off('connection', count))
    const users = Array.from({ length: 12 }, () => shop.newUser())
    const emails = await Promise.all(users.map((user) => reach(user)))
    const failed = await shop.handleAll('send-mail', await Promise.all(users.map(tell)))
    expect(failed.filter(Boolean)).toEqual([])
    for (const email of emails) expect(mailsTo(email)).toHaveLength(1)
    expect(opened).toBeLessThanOrEqual(3)
    for (const connection of server.connections) connection.close()
    await send(await tell(users[0]!))
    expect(mailsTo(emails[0]!)).toHaveLength(2)
  })

  it('is sent once if another that was sent with it is refused', async () => {
    const users = [shop.newUser(), shop.newUser()] as const
    const [refused, email] = await Promise.all(users.map((user) => reach(user)))
    const events = await Promise.all(users.map(tell))
    refuses = { recipient: 450, only: refused! }
    const failed = await shop.handleAll('send-mail', events)
    expect(failed.map((error) => error?.message)).toEqual([
      'the mail server did not take the mail: RCPT TO 450',
      undefined,
    ])
    refuses = {}
    await shop.handleAll('send-mail', events)
    expect([mailsTo(refused!).length, mailsTo(email!).length]).toEqual([1, 1])
  })

  it('is given up if there is no such mailbox', async () => {
    const user = shop.newUser()
    const email = await reach(user)
    const event = await tell(user)
    refuses = { recipient: 550 }
    await send(event)
    refuses = {}
    await send(event)
    expect([mailsTo(email), (await stateOf(event))?.status]).toEqual([[], 'refused'])
  })

  it('waits for an address that is not known yet', async () => {
    const user = shop.newUser()
    const event = await tell(user)
    await send(event)
    expect(await stateOf(event)).toMatchObject({ status: 'waiting' })
    const email = await reach(user)
    const again = await announced(user)
    expect([again.id === event.id, again.data]).toEqual([false, event.data])
    await send(again)
    expect(mailsTo(email)).toHaveLength(1)
  })

  it('is not sent of a declined payment, because that of the cancelled order says so', async () => {
    const user = shop.newUser()
    const email = await reach(user)
    const orderId = await orderOf(shop, user.id)
    const reason = 'the issuer declined the card'
    await shop.react('notify-customer', 'payment.declined', { orderId, paymentId: uuidv7(), reason })
    await send(await announced(user))
    await shop.react('notify-customer', 'order.cancelled', { orderId, reason })
    await send(await announced(user))
    expect(mailsTo(email)).toHaveLength(1)
    expect((await parsed(email)).text).toContain(reason)
  })

  it('is not sent to a deleted user, and nothing of it is left', async () => {
    const user = shop.newUser()
    const canary = randomUUID()
    const email = await reach(user, `${canary}@example.com`)
    const event = await tell(user)
    const sent = await tell(user)
    await send(sent)
    await shop.react('forget-recipient', 'user.deleted', { userId: user.id })
    await send(event)
    expect(mailsTo(email)).toHaveLength(1)
    expect(await stateOf(sent)).toBeUndefined()
    expect(await tablesWith(shop.admin, canary)).toEqual([])
  })
})

it('cannot be sent while no mail server is there', async () => {
  const away = await openShop(['notifications'], {}, { beside: shop })
  const user = shop.newUser()
  await reach(user)
  const event = await tell(user)
  await expect(away.handle('send-mail', event)).rejects.toThrow(
    'the mail server did not take the mail: CONN ESOCKET',
  )
  await away.close()
})

describe('another e-mail address', () => {
  it('is told to the old one, also to a user who has unsubscribed, and then forgotten', async () => {
    const user = shop.newUser()
    const old = await reach(user)
    await shop.patch('/mail-preferences', { as: user, body: { mails: false } })
    const email = await reach(user)
    const event = await announced(user)
    await send(event)
    expect(mailsTo(email)).toEqual([])
    const mail = await parsed(old)
    expect(mail.subject).toBe('Your e-mail address was changed')
    expect(mail.headers.filter(({ key }) => key.startsWith('list-'))).toEqual([])
    const { db } = shop.deps('notifications')
    const [row] = await db.select().from(notifications).where(eq(notifications.id, event.data.notificationId))
    expect(row).toMatchObject({ kind: 'email-changed', mailTo: null })
  })
})

describe('a link to claim what staff keep', () => {
  it('is mailed once to whoever it is for, and its token is forgotten', async () => {
    const [requestId, customerId, token] = [uuidv7(), uuidv7(), randomUUID()]
    const email = `${uuidv7()}@example.com`
    await shop.leaveSecret('notifications', requestId, JSON.stringify({ email, token }))
    const event = await shop.react('send-link', 'customer.claim-requested', { customerId, requestId })
    await shop.handle('send-link', event)
    await shop.react('send-link', 'customer.claim-requested', { customerId, requestId })
    expect(mailsTo(email)).toHaveLength(1)
    const mail = await parsed(email)
    expect(mail.text).toMatch(/^Hello,\n/)
    expect(mail.text).toContain(`\n\nhttps://shop.example/claim#token=${token}\n\n`)
    expect(mail.html).toContain(`<a href="https://shop.example/claim#token=${token}">`)
    expect(mail.headers.filter(({ key }) => key.startsWith('list-'))).toEqual([])
    expect(await tablesWith(shop.admin, token)).toEqual([])
  })

  it('is mailed later if the mail server refuses it', async () => {
    const [requestId, customerId, email] = [uuidv7(), uuidv7(), `${uuidv7()}@example.com`]
    await shop.leaveSecret('notifications', requestId, JSON.stringify({ email, token: 'x' }))
    const event = shop.eventOf('customer.claim-requested', { customerId, requestId })
    refuses = { content: 451 }
    await expect(shop.handle('send-link', event)).rejects.toThrow('DATA 451')
    refuses = {}
    await shop.handle('send-link', event)
    expect(mailsTo(email)).toHaveLength(1)
  })
})

describe('a link for a user', () => {
  it.each([
    ['user.verification-requested', '/verify-email', 'Confirma tu dirección de correo'],
    ['user.password-reset-requested', '/reset-password', 'Elige una contraseña nueva'],
  ] as const)(
    'is mailed in the language of the user, and its token is forgotten: %s',
    async (type, page, title) => {
      const [requestId, userId, token] = [uuidv7(), uuidv7(), randomUUID()]
      const email = `${uuidv7()}@example.com`
      await shop.react('keep-language', 'customer.language-changed', { userId, language: 'es' })
      await shop.leaveSecret('notifications', requestId, JSON.stringify({ email, token }))
      const event = await shop.react('send-link', type, { userId, requestId })
      await shop.handle('send-link', event)
      expect(mailsTo(email)).toHaveLength(1)
      const mail = await parsed(email)
      expect(mail.subject).toBe(title)
      expect(mail.text).toContain(`\n\nhttps://shop.example${page}?token=${token}\n\n`)
      expect(await tablesWith(shop.admin, token)).toEqual([])
    },
  )
})

describe('unsubscribing', () => {
  /** Returns the link of a mail, as a path of the API. */
  async function linkTo(user: User) {
    const email = await reach(user)
    await send(await tell(user))
    const headers = new Map((await parsed(email)).headers.map(({ key, value }) => [key, value]))
    expect(headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
    const [, path] = /^<https:\/\/shop\.example\/api\/v1(\/unsubscribe\/[\w-]+)>$/.exec(
      headers.get('list-unsubscribe') ?? '',
    )!
    expect((await parsed(email)).text).toContain(`https://shop.example/api/v1${path}`)
    return { email, path: path! }
  }
  const gets = async (user: User) => (await shop.get('/mail-preferences', { as: user })).body.mails

  it('takes one request of a mail program, without a login, and no more mails are sent', async () => {
    const user = shop.newUser()
    const { email, path } = await linkTo(user)
    const waiting = await tell(user)
    const answer = await shop.post(path, {
      key: null,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    })
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('You get no more mails')])
    await send(waiting)
    expect(mailsTo(email)).toHaveLength(1)
    expect(await gets(user)).toBe(false)
    // the list still tells everything
    expect((await shop.get('/notifications', { as: user })).body.items).toHaveLength(2)
  })

  it('is offered by a page that changes nothing, loads nothing and runs no script', async () => {
    const user = shop.newUser()
    const { path } = await linkTo(user)
    const { status, headers, text } = await shop.get(path)
    expect([status, headers.get('content-security-policy')]).toEqual([
      200,
      "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ])
    expect(text).toContain('<form method="post"><button>Send me no more mails</button></form>')
    expect(await gets(user)).toBe(true)
  })

  it('can be taken back', async () => {
    const user = shop.newUser()
    const { email, path } = await linkTo(user)
    await shop.post(path, { key: null })
    await shop.patch('/mail-preferences', { as: user, body: { mails: true } })
    await send(await tell(user))
    expect(mailsTo(email)).toHaveLength(2)
  })

  it('needs a link of this shop, for this user', () => {
    const [ours, theirs] = [openUnsubscribing('one key'), openUnsubscribing('another key')]
    const [ada, eve] = [uuidv7(), uuidv7()]
    expect(ours.userOf(ours.tokenFor(ada))).toBe(ada)
    const forged = ours.tokenFor(eve).slice(0, 32) + ours.tokenFor(ada).slice(32)
    for (const token of [theirs.tokenFor(ada), forged, ours.tokenFor(ada).slice(0, -2), ada])
      expect(() => ours.userOf(token)).toThrow('There is no such link')
  })
})
