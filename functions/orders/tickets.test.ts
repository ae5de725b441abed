import { uuidv7 } from 'uuidv7'
import { expect, it } from 'vitest'
import type { User } from '../shared/auth/access-token.ts'
import { createTickets } from './tickets.ts'

const key = 'a key for tickets that is long enough'
const user: User = { id: uuidv7(), role: 'customer', session: uuidv7(), expires: Date.UTC(2026, 10, 26, 21) }
const order = uuidv7()
const issued = Date.UTC(2026, 10, 26, 20)

it('proves for a minute who its user is, and until when a stream may last', async () => {
  const ticket = await createTickets(key, () => issued).issue(user, order)
  const after = (ms: number) => createTickets(key, () => issued + ms).verify(ticket, order)
  expect(await after(0)).toEqual(user)
  expect(await after(59_000)).toEqual(user)
  await expect(after(60_000)).rejects.toMatchObject({ status: 401 })
})

it('proves nothing if it is for another order, or signed with another key', async () => {
  const ticket = await createTickets(key).issue(user, order)
  await expect(createTickets(key).verify(ticket, uuidv7())).rejects.toMatchObject({ status: 401 })
  await expect(createTickets(`${key}!`).verify(ticket, order)).rejects.toMatchObject({ status: 401 })
})
