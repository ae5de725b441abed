import { expect, it, describe } from 'vitest'
import { uuidv7 } from 'uuidv7'
import type { User } from '../../functions/shared/auth/access-token.ts'
import { domains, domainNames, reactions, reactionsOn } from '../../functions/table.ts'
import { tablesWith } from '../contents.ts'
import { those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

// the users domain deletes its own (delete-user.test.ts)
const keeping = those(
  ({ idempotent, domain, uploadMiB }) => idempotent && domain !== 'users' && uploadMiB === undefined,
)

/** Delivers the event that a user was deleted to every domain. */
async function forget({ id: userId }: User): Promise<void> {
  for (const name of reactionsOn('user.deleted')) await contract.shop.react(name, 'user.deleted', { userId })
}

describe('a deleted user', () => {
  it.each(keeping)('leaves no answer behind that was kept for a retry: %s', async (name, { domain }) => {
    const user = contract.shop.newUser('admin')
    const key = uuidv7()
    const send = async () => contract.send(name, { as: user, key })
    const kept = `${domain}.idempotency_keys`
    const tables = async () => (await tablesWith(contract.shop.admin, key)).filter((table) => table === kept)
    const replayed = async () => (await send()).headers.get('idempotency-replayed')
    expect((await send()).status).toBe(201)
    if (domains[domain].store === 'postgres') expect(await tables()).toEqual([kept])
    await forget(user)
    expect(await tables()).toEqual([])
    expect(await replayed()).toBeNull()
  })

  it.each(domainNames.filter((domain) => keeping.some(([, row]) => row.domain === domain)))(
    'is forgotten by one reaction of a domain that keeps answers: %s',
    (domain) =>
      expect(reactionsOn('user.deleted').filter((name) => reactions[name].domain === domain)).toHaveLength(1),
  )
})
