import { del, domain, get, onDeletedUser, onEndedSessions, patch, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'customers',
  summary: 'Profiles, saved addresses and saved payment methods; also customers without an account',
  store: 'postgres',
  tables: ['customer.ts'],
  events,
  operations: {
    'create-customer': post('/api/v1/customers', 'Add a customer without an account', {
      by: ['staff', 'admin'],
      fresh: true,
      idempotent: true,
    }),
    'list-customers': get('/api/v1/customers', 'List and search customers', {
      by: ['staff', 'admin'],
      fresh: true,
      limits: { user: 600 },
    }),
    'get-customer': get('/api/v1/customers/{id}', 'Read a profile', { by: 'user', fresh: true }),
    'update-customer': patch('/api/v1/customers/{id}', 'Change a profile', {
      by: 'user',
      fresh: true,
      emits: ['customer.language-changed'],
    }),
    'delete-customer': del('/api/v1/customers/{id}', 'Delete a customer without an account', {
      by: ['staff', 'admin'],
      fresh: true,
      emits: ['customer.deleted'],
      maxScale: 2,
    }),

    'create-address': post('/api/v1/customers/{id}/addresses', 'Save an address', {
      by: 'user',
      fresh: true,
      idempotent: true,
    }),
    'list-addresses': get('/api/v1/customers/{id}/addresses', 'List the saved addresses', {
      by: 'user',
      fresh: true,
    }),
    'get-address': get('/api/v1/customers/{id}/addresses/{addressId}', 'Read a saved address', {
      by: 'user',
      fresh: true,
    }),
    'update-address': patch('/api/v1/customers/{id}/addresses/{addressId}', 'Change a saved address', {
      by: 'user',
      fresh: true,
    }),
    'delete-address': del('/api/v1/customers/{id}/addresses/{addressId}', 'Delete a saved address', {
      by: 'user',
      fresh: true,
    }),

    'create-payment-method': post('/api/v1/customers/{id}/payment-methods', 'Save a payment method', {
      by: 'user',
      fresh: true,
      idempotent: true,
      limits: { user: 60 },
    }),
    'list-payment-methods': get('/api/v1/customers/{id}/payment-methods', 'List the saved payment methods', {
      by: 'user',
      fresh: true,
    }),
    'get-payment-method': get(
      '/api/v1/customers/{id}/payment-methods/{methodId}',
      'Read a saved payment method',
      { by: 'user', fresh: true },
    ),
    'update-payment-method': patch(
      '/api/v1/customers/{id}/payment-methods/{methodId}',
      'Change a saved payment method',
      { by: 'user', fresh: true },
    ),
    'delete-payment-method': del(
      '/api/v1/customers/{id}/payment-methods/{methodId}',
      'Delete a saved payment method',
      { by: 'user', fresh: true },
    ),

    'request-claim': post(
      '/api/v1/customer-claims/requests',
      'Mail a customer without an account a link to claim what staff keep of them',
      {
        by: 'user',
        fresh: true,
        emits: ['customer.claim-requested'],
        leavesSecretsFor: ['notifications'],
        maxScale: 2,
        limits: { user: 20 },
      },
    ),
    'claim-customer': post('/api/v1/customer-claims', 'Claim what staff keep of you', {
      by: 'user',
      fresh: true,
      emits: ['customer.claimed', 'customer.language-changed'],
      maxScale: 2,
      limits: { user: 20 },
    }),
  },
  reactions: {
    'end-customer-sessions': onEndedSessions,
    'forget-profile': onDeletedUser('Forgets a deleted user’s profile, addresses and payment methods'),
  },
})
