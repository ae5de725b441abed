import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'

const password = 'correct horse battery'
const someone = () => ({ email: `${uuidv7()}@example.com`, name: 'Ada', password })

export default {
  bodies: {
    'register-user': () => {
      const ada = someone()
      return [ada, { ...ada, name: 'Grace' }]
    },
    'update-user': [{ name: 'Ada' }, { name: 'Grace' }],
    'delete-user': [{ currentPassword: password }, { currentPassword: 'another' }],
    'log-in': [
      { email: 'nobody@example.com', password: 'wrong' },
      { email: 'nobody@example.com', password: 'w' },
    ],
    'refresh-session': [{ refreshToken: 'x' }, { refreshToken: 'y' }],
  },
  resources: {
    '/api/v1/users/{id}': {
      owner: 'customer',
      notFound: 'There is no such user.',
      create: async (shop) => {
        const { id } = await shop.create('/users', { body: someone() })
        return { parameters: { id }, owner: id }
      },
    },
  },
} satisfies Fixtures<typeof domain>
