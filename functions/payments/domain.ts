import { domain, get, on, onEndedSessions, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'payments',
  summary:
    'What customers pay: authorised once the stock is reserved, captured at shipping, voided or refunded otherwise',
  store: 'postgres',
  tables: ['payment.ts'],
  settings: {
    PAYMENT_PROVIDER: {
      description: 'the API of the payment provider, sandbox or stripe; sandbox if it is not set',
    },
    PAYMENT_PROVIDER_URL: {
      description: 'the address of the payment provider',
      service: 'http://payment-sandbox:8080',
    },
    PAYMENT_MULTICAPTURE: {
      description:
        'on if the account at Stripe may capture a payment several times, which orders in several parcels need',
    },
    PAYMENT_PROVIDER_KEY: { description: 'our API key at the payment provider', secret: 'random' },
    PAYMENT_WEBHOOK_KEYS: {
      description:
        'the keys that the payment provider signs its webhooks with, separated by spaces: each is whsec_ and 24 to 64 bytes in base64, or a secret of Stripe',
      secret: 'signing key',
    },
  },
  networks: ['provider'],
  events,
  operations: {
    'get-payment': get('/api/v1/payments/{id}', 'Read a payment', { by: 'user', fresh: true }),
    'list-payments': get('/api/v1/payments', 'List payments', { by: 'user', fresh: true, core: true }),
    'list-refunds': get('/api/v1/payments/{id}/refunds', 'List the refunds of a payment', {
      by: 'user',
      fresh: true,
    }),
    'refund-payment': post('/api/v1/payments/{id}/refunds', 'Refund a payment, whole or in part', {
      by: ['staff', 'admin'],
      fresh: true,
      idempotent: true,
      limits: { user: 60 },
      emits: ['refund.requested', 'payment.refunded'],
    }),
    'receive-payment-webhook': post('/api/v1/payments/webhooks', 'Hear from the payment provider', {
      by: 'anyone',
      calledFrom: 'provider',
      // a provider sends all of them from a few addresses
      limits: { network: 60_000 },
      emits: [
        'payment.authorized',
        'payment.declined',
        'payment.captured',
        'payment.voided',
        'payment.refunded',
      ],
    }),
  },
  reactions: {
    'end-payment-sessions': onEndedSessions,
    'forget-payer': on(
      ['user.deleted', 'customer.deleted'],
      'Forgets what is written about a deleted customer’s payments',
      { maxScale: 1 },
    ),
    'move-payments': on(
      ['customer.claimed'],
      'Moves the payments of a customer who has claimed their record to their account',
      { maxScale: 1 },
    ),
    'authorize-payment': on(
      ['stock.reserved', 'order.reduced'],
      'Authorises the total with the payment provider',
      {
        emits: ['payment.authorized', 'payment.declined'],
        leadsTo: 'payment.authorized',
      },
    ),
    'void-payment': on(['order.cancelled'], 'Voids or refunds what was authorised or captured', {
      emits: ['payment.voided', 'refund.requested', 'payment.refunded'],
    }),
    'capture-payment': on(['order.shipped', 'parcel.shipped'], 'Captures what was shipped', {
      emits: ['payment.captured', 'payment.capture-failed'],
      leadsTo: 'payment.captured',
    }),
    'refund-return': on(['return.received'], 'Refunds what came back', {
      emits: ['refund.requested', 'payment.refunded'],
    }),
    'finish-refund': on(['refund.requested'], 'Finishes a refund at the provider', {
      emits: ['payment.refunded'],
    }),
  },
})
