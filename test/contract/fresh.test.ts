import { describe, expect, it, vi } from 'vitest'
import type { EventData } from '../../events/event.ts'
import type { User } from '../../functions/shared/auth/access-token.ts'
import type { Role } from '../../functions/shared/domain.ts'
import { domainNames, operations, reactions, reactionsOn, type Domain } from '../../functions/table.ts'
import { newAccount } from '../accounts.ts'
import { expectProblem } from '../problems.ts'
import { rows, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

const fresh = those((row) => row.fresh)
const roles: Role[] = ['customer', 'seller', 'staff', 'admin']

let contract: ContractShop
/** A user of each role who has logged out, and whose access token has not expired. */
const gone = new Map<Role, User>()

sharing.beforeAll(async ({ shop }) => {
  contract = shop
  for (const role of roles) await logOut(role)
  for (const domain of domainNames) await notice(domain)
})

/** Lets a new user of a role log out, and delivers the event to every domain. */
async function logOut(role: Role) {
  const { shop } = contract
  const user = await newAccount(shop, role)
  gone.set(role, user)
  expect((await shop.delete('/sessions/current', { as: user })).status).toBe(204)
  const [event] = await shop.emitted(user.id)
  expect(event).toMatchObject({ type: 'session.ended', data: { sessionIds: [user.session] } })
  const data = event!.data as EventData<'session.ended'>
  for (const name of reactionsOn('session.ended')) await shop.react(name, 'session.ended', data, event!.id)
}

/** Waits until a domain has read its projection again, which it does once a second. */
async function notice(domain: Domain) {
  const [name] = fresh.find(([, row]) => row.domain === domain) ?? []
  if (name !== undefined)
    await vi.waitFor(
      async () => expect((await contract.send(name, { as: whoMay(name) })).status).toBe(401),
      5_000,
    )
}

/** Returns a user who might call an operation, had they not logged out. */
function whoMay(name: keyof typeof operations): User {
  const { by } = operations[name]
  return gone.get(typeof by === 'string' ? 'customer' : by[0])!
}

describe('an operation that is fresh', () => {
  it.each(fresh)('refuses the token of a session that has ended: %s', async (name) =>
    expectProblem(await contract.send(name, { as: whoMay(name) }), 'session-ended', 'Log in again.'),
  )

  it.each(fresh)('refuses it before the role: %s', async (name) => {
    for (const role of roles)
      expect((await contract.send(name, { as: gone.get(role)! })).body.type).toMatch(/session-ended$/)
  })

  it.each(fresh)('accepts another session of the same user: %s', async (name) => {
    const another = { ...whoMay(name), session: contract.shop.newUser().session }
    expect((await contract.send(name, { as: another })).status).not.toBe(401)
  })

  it.each(
    domainNames.filter((domain) => domain !== 'users' && fresh.some(([, row]) => row.domain === domain)),
  )('has a domain that hears of ended sessions: %s', (domain) =>
    expect(reactionsOn('session.ended').filter((name) => reactions[name].domain === domain)).toHaveLength(1),
  )
})

it('is every operation that needs a login, except for logging out', () => {
  const others = rows.filter(([, { by, fresh }]) => by !== 'anyone' && fresh === undefined)
  expect(others.map(([name]) => name)).toEqual(['log-out'])
})
