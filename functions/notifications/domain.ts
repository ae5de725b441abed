import { domain, get, on, onDeletedUser, onEndedSessions, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'notifications',
  summary: 'What people are told: a list for each user, live and in their language',
  store: 'postgres',
  tables: ['notification.ts'],
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
  },
  reactions: {
    'end-notification-sessions': onEndedSessions,
    'keep-contact': on(['user.contact-changed'], 'Keeps the names and e-mail addresses of users', {
      maxScale: 1,
    }),
    'notify-customer': on(
      [
        'order.placed',
        'order.confirmed',
        'order.shipped',
        'order.completed',
        'order.cancelled',
        'payment.declined',
        'payment.refunded',
      ],
      'Tells customers what happens to their orders and payments',
      { emits: ['notification.created'] },
    ),
    'forget-recipient': onDeletedUser('Forgets a deleted user’s address and notifications'),
  },
})
