import { domain, get, on, onDeletedUser, onEndedSessions, patch, post, type Role } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

const managers: Role[] = ['staff', 'admin']

export default domain<typeof open>()({
  name: 'coupons',
  summary: 'Coupons: what they give, who may redeem them and how often, and the orders that have them',
  store: 'postgres',
  tables: ['coupon.ts'],
  settings: {
    REDEMPTION_SECONDS: {
      description: 'how long a coupon is held for an order that was not placed; 900 if it is not set',
    },
  },
  events,
  operations: {
    'create-coupon': post('/api/v1/coupons', 'Create a coupon', {
      by: managers,
      fresh: true,
      idempotent: true,
    }),
    'list-coupons': get('/api/v1/coupons', 'List coupons', { by: managers, fresh: true }),
    'get-coupon': get('/api/v1/coupons/{id}', 'Read a coupon', { by: managers, fresh: true }),
    'update-coupon': patch('/api/v1/coupons/{id}', 'Change for what a coupon is valid, and how often', {
      by: managers,
      fresh: true,
    }),
    'end-coupon': post('/api/v1/coupons/{id}/end', 'End a coupon', { by: managers, fresh: true }),
    'quote-coupons': post('/api/v1/coupon-quotes', 'Find out what coupons would give', {
      by: 'user',
      fresh: true,
      limits: { user: 1_200 },
    }),
    'redeem-coupons': post(
      '/api/v1/coupon-redemptions',
      'Redeem coupons for an order; create-order calls it',
      {
        by: 'user',
        fresh: true,
        limits: { user: 1_200 },
        emits: ['redemption.deadline-reached'],
      },
    ),
  },
  reactions: {
    'end-coupon-sessions': onEndedSessions,
    'forget-redeemer': onDeletedUser('Forgets the answers and keys that are kept for a deleted user'),
    'move-redemptions': on(
      ['customer.claimed'],
      'Moves what is redeemed for a customer who has claimed their record to their account',
      { maxScale: 1 },
    ),
    'categorize-product': on(
      ['product.created', 'product.updated'],
      'Keeps the categories that coupons are for',
      { patient: true },
    ),
    'settle-redemptions': on(
      ['order.discounted', 'order.cancelled'],
      'Confirms what is redeemed, or gives it back',
      { patient: true },
    ),
    'expire-redemption': on(
      ['redemption.deadline-reached'],
      'Gives back what is held for an order that was not placed',
      { patient: true },
    ),
  },
})
