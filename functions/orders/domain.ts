import { domain, get, on, onEndedSessions, patch, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'orders',
  summary: 'Orders, from placing to completion or cancellation, each with its timeline',
  store: 'postgres',
  tables: ['order.ts', 'tariff.ts'],
  settings: {
    PRICES: {
      description: 'whether prices include tax: gross or net; gross if it is not set',
    },
    ORDER_DEADLINE_SECONDS: {
      description: 'how long an order may wait for stock and payment; 900 if it is not set',
    },
    UNPAID_PIECES: {
      description:
        'how many pieces one customer may have in orders that are not paid yet; 1000 if it is not set',
    },
    STREAM_TICKET_KEY: {
      description: 'the key that signs tickets for event streams, at least 32 characters',
      secret: 'random',
    },
  },
  events,
  operations: {
    'create-order': post('/api/v1/orders', 'Place an order', {
      by: 'user',
      fresh: true,
      core: true,
      idempotent: true,
      emits: ['order.placed', 'order.discounted', 'cart.ordered', 'order.deadline-reached'],
      leavesSecretsFor: ['payments'],
      limits: { user: 1_200 },
      concurrency: 100,
      maxScale: 10,
    }),
    'get-order': get('/api/v1/orders/{id}', 'Read an order', {
      by: 'user',
      fresh: true,
      core: true,
      concurrency: 100,
      maxScale: 10,
    }),
    'list-orders': get('/api/v1/orders', 'List orders', { by: 'user', fresh: true }),
    'update-order': patch('/api/v1/orders/{id}', 'Change the delivery address or note', {
      by: 'user',
      fresh: true,
    }),
    'cancel-order': post('/api/v1/orders/{id}/cancellation', 'Cancel an order', {
      by: 'user',
      fresh: true,
      core: true,
      emits: ['order.cancelled'],
    }),
    'decide-order': post('/api/v1/orders/{id}/decision', 'Decide what becomes of an order with a shortage', {
      by: 'user',
      fresh: true,
      core: true,
      emits: ['order.reduced', 'order.backordered', 'order.cancelled', 'order.deadline-reached'],
      limits: { user: 60 },
      maxScale: 2,
    }),
    'ship-order': post('/api/v1/orders/{id}/shipment', 'Ship an order', {
      by: ['staff', 'admin'],
      fresh: true,
      core: true,
      emits: ['order.shipped'],
      leavesSecretsFor: ['invoices'],
    }),
    'get-order-timeline': get('/api/v1/orders/{id}/timeline', 'What happened to an order', {
      by: 'user',
      fresh: true,
      core: true,
    }),
    'create-note': post(
      '/api/v1/orders/{id}/notes',
      'Add a note to an order, for the customer or for staff',
      {
        by: 'user',
        fresh: true,
        idempotent: true,
        limits: { user: 60 },
      },
    ),
    'watch-order': get('/api/v1/orders/{id}/events', 'Watch an order as server-sent events', {
      by: 'user',
      fresh: true,
      core: true,
      listens: true,
      concurrency: 500,
      streamSeconds: 600,
      streams: 20,
      // a browser that lost the connection tries again every few seconds
      limits: { user: 120 },
    }),
    'list-tax-rates': get('/api/v1/tax-rates', 'List the rates of value added tax', { by: 'anyone' }),
    'add-tax-rate': post('/api/v1/tax-rates', 'Add a rate of value added tax', {
      by: ['admin'],
      fresh: true,
      idempotent: true,
      maxScale: 1,
    }),
    'list-shipping-methods': get('/api/v1/shipping-methods', 'List how orders can be shipped', {
      by: 'anyone',
    }),
    'create-ticket': post(
      '/api/v1/orders/{id}/events/tickets',
      'Get a ticket to watch an order without a token',
      {
        by: 'user',
        fresh: true,
        maxScale: 2,
        limits: { user: 120 },
      },
    ),
  },
  reactions: {
    'end-order-sessions': onEndedSessions,
    'project-product': on(
      ['product.created', 'product.updated', 'product.deleted'],
      'Keeps the prices that orders are made at',
      { projects: true },
    ),
    'confirm-order': on(['payment.authorized'], 'Confirms the order', {
      emits: ['order.confirmed', 'order.deadline-reached'],
      leadsTo: 'order.confirmed',
    }),
    'abort-order': on(
      ['stock.rejected', 'payment.declined', 'payment.capture-failed'],
      'Cancels an order that cannot be fulfilled',
      { emits: ['order.cancelled'] },
    ),
    'settle-shortage': on(
      ['stock.partly-reserved'],
      'Leaves out what is missing of the order, or asks its customer',
      {
        emits: ['order.reduced', 'order.decision-requested', 'order.deadline-reached'],
        leadsTo: 'order.reduced',
        maxScale: 2,
      },
    ),
    'track-parcel': on(
      ['parcel.shipped', 'parcel.delivered', 'parcel.failed'],
      'Keeps what was shipped of the order, which is shipped with its first parcel',
    ),
    'complete-order': on(['payment.captured'], 'Completes the order once all is paid', {
      emits: ['order.completed'],
      leadsTo: 'order.completed',
    }),
    'expire-order': on(
      ['order.deadline-reached'],
      'Cancels an order that was not confirmed or shipped in time',
      { emits: ['order.cancelled'] },
    ),
    'forget-customer': on(
      ['user.deleted', 'customer.deleted'],
      'Cancels what a deleted customer has not paid, and forgets where the rest was delivered',
      { maxScale: 1, emits: ['order.cancelled'] },
    ),
    'move-orders': on(
      ['customer.claimed'],
      'Moves the orders of a customer who has claimed their record to their account',
      { maxScale: 1 },
    ),
    'track-order': on(
      [
        'stock.reserved',
        'stock.released',
        'stock.committed',
        'payment.voided',
        'payment.refunded',
        'return.requested',
        'return.approved',
        'return.refused',
        'return.received',
        'invoice.issued',
        'credit-note.issued',
      ],
      'Keeps the order’s timeline',
      { patient: true, emits: ['order.deadline-reached'] },
    ),
  },
})
