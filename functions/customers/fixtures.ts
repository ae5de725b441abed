import { uuidv7 } from 'uuidv7'
import { address } from '../../demo/client/orders.ts'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import { uniqueLetters } from '../../test/letters.ts'
import type { TestShop } from '../../test/shop.ts'
import type domain from './domain.ts'

/** Returns the body of a new payment method. Each has a token of its own. */
export const newCard = () => ({ cardToken: `card_approved-${uniqueLetters()}`, brand: 'visa', last4: '4242' })

const newEmail = () => `${uuidv7()}@example.com`

/** Creates a customer with an account who has saved something of a kind twice. */
async function customerWith(shop: TestShop, kind: 'addresses' | 'payment-methods', body: () => object) {
  const user = shop.newUser()
  const save = () => shop.create(`/customers/${user.id}/${kind}`, { as: user, body: body() })
  await save()
  const { id } = await save()
  return { user, id: id as string }
}

const anAddress = () => ({ label: 'home', address })

export default {
  bodies: {
    'create-customer': () => [
      { name: 'Grace', email: newEmail(), phone: '+34912345678', language: 'es' },
      { name: 'Grace', taxId: 'ESB12345678' },
    ],
    'update-customer': [{ name: 'Ada', phone: '+34912345678' }, { language: 'es' }],
    'create-address': [anAddress(), { label: 'work', address, isDefault: true }],
    'update-address': [{ label: 'parents' }, { address, isDefault: true }],
    'create-payment-method': () => [newCard(), { ...newCard(), isDefault: true }],
    'update-payment-method': [{ isDefault: true }, { expires: '2031-02' }],
    'request-claim': [{ email: 'grace@example.com' }, { email: 'ada@example.com' }],
    'claim-customer': [{ token: 'A'.repeat(43) }, { token: 'B'.repeat(43) }],
  },
  resources: {
    '/api/v1/customers/{id}': {
      owner: 'customer',
      notFound: 'There is no customer with this id.',
      create: async (shop) => {
        const { user } = await customerWith(shop, 'addresses', anAddress)
        for (const body of [newCard(), newCard()])
          await shop.create(`/customers/${user.id}/payment-methods`, { as: user, body })
        return { parameters: { id: user.id }, owner: user.id }
      },
    },
    '/api/v1/customers/{id}/addresses/{addressId}': {
      owner: 'customer',
      notFound: 'There is no such address.',
      create: async (shop) => {
        const { user, id } = await customerWith(shop, 'addresses', anAddress)
        return { parameters: { id: user.id, addressId: id }, owner: user.id }
      },
    },
    '/api/v1/customers/{id}/payment-methods/{methodId}': {
      owner: 'customer',
      notFound: 'There is no such payment method.',
      create: async (shop) => {
        const { user, id } = await customerWith(shop, 'payment-methods', newCard)
        return { parameters: { id: user.id, methodId: id }, owner: user.id }
      },
    },
  },
  parameters: Object.fromEntries(
    ['addressId', 'methodId'].map((name) => [
      name,
      { values: ['x', '1', '%20', '%ff', 'null', "'--"], detail: 'Invalid UUID' },
    ]),
  ),
} satisfies Fixtures<typeof domain>
