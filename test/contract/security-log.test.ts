import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Role } from '../../functions/shared/domain.ts'
import type { OperationName } from '../../functions/table.ts'
import type { Send } from '../shop.ts'
import { rows, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

/** Sends a request from an address. Returns its entries in the security log. */
async function logged(name: OperationName, send: Send) {
  const requestId = randomUUID()
  const headers = {
    'x-request-id': requestId,
    'x-forwarded-for': '192.0.2.66, 198.51.100.7',
    ...send.headers,
  }
  await contract.send(name, { ...send, headers })
  return contract.shop.securityLog.filter((entry) => entry['requestId'] === requestId)
}

const refused = { outcome: 'refused', address: '198.51.100.7', requestId: expect.any(String) }

describe('the security log has one line for a request that is refused', () => {
  it.each(those(({ by }) => by !== 'anyone'))('because nobody is logged in: %s', async (operation) =>
    expect(await logged(operation, { as: undefined })).toEqual([
      { ...refused, event: 'not-logged-in', actor: 'anonymous', operation },
    ]),
  )

  it.each(rows)('because the token is not valid, without the token: %s', async (operation) => {
    const token = `not-a-token-${randomUUID()}`
    const headers = { authorization: `Bearer ${token}` }
    const entries = await logged(operation, { as: undefined, headers })
    expect(entries).toEqual([{ ...refused, event: 'not-logged-in', actor: 'anonymous', operation }])
    expect(JSON.stringify(entries)).not.toContain(token)
  })

  const forbidden = rows.flatMap(([name, { by }]) =>
    typeof by === 'string'
      ? []
      : (['customer', 'seller', 'staff', 'admin'] as Role[])
          .filter((role) => !by.includes(role))
          .map((role) => [name, role] as const),
  )
  it.each(forbidden)('because of the role: %s as %s', async (operation, role) =>
    expect(await logged(operation, { as: role })).toEqual([
      { ...refused, event: 'wrong-role', actor: { id: contract.shop.users[role].id, role }, operation },
    ]),
  )
})
