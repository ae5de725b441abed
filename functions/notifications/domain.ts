import {
  del,
  domain,
  get,
  on,
  onDeletedUser,
  onEndedSessions,
  patch,
  post,
  type Role,
} from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

const sellers: Role[] = ['seller', 'admin']

export default domain<typeof open>()({
  name: 'notifications',
  summary:
    'What people are told, in their language: a list for each user, live, and by e-mail; and what sellers’ systems are told, by webhooks',
  store: 'postgres',
  tables: ['notification.ts', 'webhook.ts'],
  settings: {
    SMTP_URL: {
      description: 'the mail server, such as smtps://shop@mail.example.com',
      service: 'smtp://maildev:1025',
    },
    SMTP_PASSWORD: { description: 'the password of the user in SMTP_URL, if it has one', secret: 'random' },
    MAIL_FROM: { description: 'who mails are from; Zeroshop <no-reply@zeroshop.dev> if it is not set' },
    SHOP_URL: {
      description:
        'the shop as customers reach it, for links in mails; http://localhost:8080 if it is not set',
    },
    UNSUBSCRIBE_KEY: { description: 'the key that signs links to unsubscribe', secret: 'random' },
    WEBHOOK_SECRET_KEY: {
      description: 'the key from which the secrets of webhook endpoints are derived',
      secret: 'random',
    },
    WEBHOOKS_TO_LOOPBACK: {
      description: '1 if webhooks may also go to this machine, without TLS: for tests; not if it is not set',
    },
  },
  events,
  operations: {
    'list-notifications': get('/api/v1/notifications', 'List your notifications', {
      by: 'user',
      fresh: true,
    }),
    'read-notification': post('/api/v1/notifications/{id}/read', 'Mark a notification as read', {
      by: 'user',
      fresh: true,
      maxScale: 2,
    }),
    'read-all-notifications': post('/api/v1/notifications/read', 'Mark your notifications as read', {
      by: 'user',
      fresh: true,
      maxScale: 2,
    }),
    'watch-notifications': get(
      '/api/v1/notifications/events',
      'Get your notifications as server-sent events',
      {
        by: 'user',
        fresh: true,
        listens: true,
        concurrency: 500,
        streamSeconds: 600,
        streams: 20,
        // a browser that lost the connection tries again every few seconds
        limits: { user: 120 },
      },
    ),
    'show-unsubscribing': get('/api/v1/unsubscribe/{token}', 'Show how to unsubscribe from mails', {
      by: 'anyone',
      maxScale: 1,
    }),
    'unsubscribe-recipient': post('/api/v1/unsubscribe/{token}', 'Unsubscribe from mails', {
      by: 'anyone',
      maxScale: 1,
    }),
    'get-mail-preferences': get('/api/v1/mail-preferences', 'Read whether you get mails', {
      by: 'user',
      fresh: true,
      maxScale: 1,
    }),
    'update-mail-preferences': patch('/api/v1/mail-preferences', 'Change whether you get mails', {
      by: 'user',
      fresh: true,
      maxScale: 1,
    }),
    'create-webhook-endpoint': post('/api/v1/webhook-endpoints', 'Add a webhook endpoint', {
      by: sellers,
      fresh: true,
      idempotent: true,
      limits: { user: 60 },
      maxScale: 1,
    }),
    'list-webhook-endpoints': get('/api/v1/webhook-endpoints', 'List your webhook endpoints', {
      by: sellers,
      fresh: true,
      maxScale: 1,
    }),
    'get-webhook-endpoint': get('/api/v1/webhook-endpoints/{id}', 'Read a webhook endpoint', {
      by: sellers,
      fresh: true,
      maxScale: 1,
    }),
    'update-webhook-endpoint': patch('/api/v1/webhook-endpoints/{id}', 'Change a webhook endpoint', {
      by: sellers,
      fresh: true,
      maxScale: 1,
    }),
    'delete-webhook-endpoint': del('/api/v1/webhook-endpoints/{id}', 'Delete a webhook endpoint', {
      by: sellers,
      fresh: true,
      maxScale: 1,
    }),
    'rotate-webhook-secret': post(
      '/api/v1/webhook-endpoints/{id}/secret',
      'Replace the secret of a webhook endpoint',
      { by: sellers, fresh: true, limits: { user: 60 }, maxScale: 1 },
    ),
    'list-webhook-deliveries': get(
      '/api/v1/webhook-endpoints/{id}/deliveries',
      'List what a webhook endpoint was sent',
      { by: sellers, fresh: true, maxScale: 2 },
    ),
    'replay-webhook-delivery': post(
      '/api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/replay',
      'Send a webhook again',
      { by: sellers, fresh: true, maxScale: 1, emits: ['webhook.due'] },
    ),
  },
  reactions: {
    'end-notification-sessions': onEndedSessions,
    'keep-contact': on(['user.contact-changed'], 'Keeps the names and e-mail addresses of users', {
      maxScale: 1,
      emits: ['notification.created'],
    }),
    'notify-customer': on(
      [
        'order.placed',
        'order.decision-requested',
        'order.reduced',
        'order.confirmed',
        'order.shipped',
        'parcel.shipped',
        'order.completed',
        'order.cancelled',
        'payment.declined',
        'payment.refunded',
        'return.approved',
        'return.refused',
        'return.received',
        'invoice.issued',
      ],
      'Tells customers, and sellers’ systems, what happens to their orders, payments and returns',
      { emits: ['notification.created', 'webhook.due'], patient: true },
    ),
    'keep-seller': on(
      ['product.created', 'product.updated', 'product.deleted'],
      'Keeps who sells what, to know whom orders concern',
      { maxScale: 1, patient: true },
    ),
    'notify-seller': on(['stock.low'], 'Tells sellers’ systems what is low in stock', {
      maxScale: 1,
      emits: ['webhook.due'],
      patient: true,
    }),
    'deliver-webhook': on(['webhook.due'], 'Delivers webhooks to sellers’ systems', {
      emits: ['webhook.due', 'notification.created'],
      networks: ['webhooks'],
    }),
    'keep-language': on(['customer.language-changed'], 'Keeps the languages of users', { maxScale: 1 }),
    'follow-claim': on(
      ['customer.claimed'],
      'Gives an account the notifications of the customer whose record it has claimed',
      { maxScale: 1 },
    ),
    'send-link': on(
      ['customer.claim-requested', 'user.verification-requested', 'user.password-reset-requested'],
      'Mails the link that somebody has asked for',
      { networks: ['mail'] },
    ),
    'send-mail': on(['notification.created'], 'Sends the notification by e-mail', {
      // if the address has come while the mail was to wait for it
      emits: ['notification.created'],
      patient: true,
      networks: ['mail'],
    }),
    'forget-recipient': onDeletedUser('Forgets a deleted user’s address and notifications'),
  },
})
