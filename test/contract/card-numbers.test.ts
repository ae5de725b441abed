import { expect, it } from 'vitest'
import { tablesWith } from '../contents.ts'
import { expectInvalid } from '../problems.ts'
import { bodiesOf } from './known-fixtures.ts'
import { takesBody, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

const number = '4111111111111111'
const detail = 'this looks like a card number: send a token of the payment provider'

/** Returns the JSON pointers to the card tokens in a value. */
function tokensIn(value: unknown, pointer = '/body'): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]) =>
    name === 'cardToken' ? [`${pointer}/${name}`] : tokensIn(part, `${pointer}/${name}`),
  )
}

const paying = those(takesBody).filter(([name]) => tokensIn(bodiesOf(name)[0]).length > 0)

it('finds the operations that take a card token', () => {
  expect(paying.map(([name]) => name)).toContain('create-order')
})

it.each(paying)('a card number is not taken for a token, nor kept: %s', async (name) => {
  const [body] = bodiesOf(name)
  for (const written of [number, '4111 1111 1111 1111', '4111-1111-1111-1111', 'card_٤١١١١١١١١١١١١١١١']) {
    const text = JSON.stringify(body, (key, value: unknown) => (key === 'cardToken' ? written : value))
    expectInvalid(
      await contract.send(name, { body: text }),
      ...tokensIn(body).map((pointer) => ({ pointer, detail })),
    )
  }
  expect(await tablesWith(contract.shop.admin, number)).toEqual([])
})
