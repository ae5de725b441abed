import { domain, get, on, onEndedSessions, post, type Role } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

const managers: Role[] = ['staff', 'admin']

export default domain<typeof open>()({
  name: 'returns',
  summary: 'What customers send back: requested, approved or refused, received and refunded',
  store: 'postgres',
  tables: ['return.ts'],
  settings: {
    RETURN_DAYS: {
      description: 'for how many days after the shipment pieces can be sent back; 30 if it is not set',
    },
  },
  events,
  operations: {
    'request-return': post('/api/v1/returns', 'Ask to send pieces of an order back', {
      by: 'user',
      fresh: true,
      idempotent: true,
      limits: { user: 60 },
      emits: ['return.requested'],
    }),
    'list-returns': get('/api/v1/returns', 'List returns', { by: 'user', fresh: true }),
    'get-return': get('/api/v1/returns/{id}', 'Read a return', { by: 'user', fresh: true }),
    'approve-return': post('/api/v1/returns/{id}/approval', 'Approve a return', {
      by: managers,
      fresh: true,
      emits: ['return.approved'],
      maxScale: 2,
    }),
    'refuse-return': post('/api/v1/returns/{id}/refusal', 'Refuse a return', {
      by: managers,
      fresh: true,
      emits: ['return.refused'],
      maxScale: 2,
    }),
    'receive-return': post('/api/v1/returns/{id}/receipt', 'Say what came back, which is refunded', {
      by: managers,
      fresh: true,
      emits: ['return.received'],
      maxScale: 2,
    }),
  },
  reactions: {
    'end-return-sessions': onEndedSessions,
    'keep-purchase': on(
      ['order.placed', 'order.reduced', 'order.shipped', 'order.completed', 'order.cancelled'],
      'Keeps what can be sent back, and since when',
      { patient: true },
    ),
    'move-returns': on(
      ['customer.claimed'],
      'Moves the returns of a customer who has claimed their record to their account',
      { maxScale: 1 },
    ),
    'forget-returner': on(
      ['user.deleted', 'customer.deleted'],
      'Forgets what a deleted customer has written about returns',
      { maxScale: 1 },
    ),
  },
})
