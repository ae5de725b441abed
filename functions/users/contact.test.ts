import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAccount, newEmail, password } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { createAdmin } from './admins.ts'
import { events } from './events.ts'
import { withCause } from '../shared/store/cause.ts'

let shop: TestShop
let admin: postgres.Sql
beforeAll(async () => {
  shop = await openShop(['users'])
  admin = postgres(shop.admin, { max: 1 })
})
afterAll(async () => {
  await admin.end()
  await shop.close()
})

/** Returns the contacts that a user's events refer to, oldest first. */
async function told(userId: string): Promise<unknown[]> {
  const changes = (await shop.emitted(userId)).filter(({ type }) => type === 'user.contact-changed')
  return Promise.all(
    changes.map(async ({ data }) => {
      const { contactId } = data as { contactId: string }
      const [left] = await admin<{ recipient: string; secret: string }[]>`
        select recipient, secret from events.secrets where subject = ${contactId}`
      return { to: left!.recipient, ...(JSON.parse(left!.secret) as object) }
    }),
  )
}

const to = 'notifications'

it('is told of a new user, of another name and of another e-mail address, and of nothing else', async () => {
  const registration = { email: newEmail(), name: 'Ada', password }
  const { id, email: first } = await shop.create('/users', { body: registration })
  expect(await told(id)).toEqual([{ to, email: first, name: 'Ada' }])
  const ada: User = { id, role: 'customer', session: id }
  const change = (body: object) => shop.patch(`/users/${id}`, { as: ada, ifMatch: '*', body })
  await change({ name: 'Ada King' })
  const email = newEmail()
  await change({ email, currentPassword: password })
  await change({ name: 'Ada King' })
  expect(await told(id)).toEqual([
    { to, email: first, name: 'Ada' },
    { to, email: first, name: 'Ada King' },
    { to, email, name: 'Ada King' },
  ])
})

it('is told of an admin who is created on the command line', async () => {
  const db = withCause(shop.deps('users').db, { domain: 'users', emits: events })
  const email = newEmail()
  const id = await createAdmin(db, { email, name: 'Grace', password })
  expect(await told(id)).toEqual([{ to, email, name: 'Grace' }])
})

it('is told by the migration of users who are there already', async () => {
  const ada = await newAccount(shop)
  await admin`delete from events.outbox`
  await admin`delete from events.secrets`
  await admin.unsafe(readFileSync(join(import.meta.dirname, 'migrations/0005_contacts.sql'), 'utf8'))
  expect(await told(ada.id)).toEqual([{ to, email: ada.email, name: 'Ada' }])
})
