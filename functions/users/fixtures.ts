import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import { transaction } from '../shared/store/transaction.ts'
import type domain from './domain.ts'
import { startSession } from './families.ts'
import { users } from './user.ts'

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
    'enrol-second-factor': [{ currentPassword: password }, { currentPassword: 'another' }],
    'disable-second-factor': [{ currentPassword: password }, { currentPassword: 'another' }],
    'confirm-second-factor': [{ code: '123456' }, { code: '654321' }],
    'renew-recovery-codes': [{ currentPassword: password }, { currentPassword: 'another' }],
    'verify-email': [{ token: 'x' }, { token: 'y' }],
    'request-password-reset': () => [{ email: someone().email }, { email: someone().email }],
    'reset-password': [
      { token: 'x', password },
      { token: 'y', password },
    ],
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
    '/api/v1/sessions/{id}': {
      owner: 'customer',
      notFound: 'You have no such session.',
      create: async (shop) => {
        const { db } = shop.deps('users')
        const { id: userId, role } = shop.users.customer
        // a session is of a user who is stored
        await db
          .insert(users)
          .values({ id: userId, role, email: someone().email, name: 'Ada', passwordHash: 'none' })
          .onConflictDoNothing()
        const { id } = await transaction(db, (tx) => startSession(tx, userId))
        return { parameters: { id } }
      },
    },
  },
} satisfies Fixtures<typeof domain>
