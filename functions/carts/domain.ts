import { del, domain, get, on, onDeletedUser, onEndedSessions, post, put } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'carts',
  summary: 'What customers and guests are about to order',
  store: 'mongodb',
  outboxes: ['carts'],
  settings: {
    CART_TOKEN_KEY: {
      description: 'the key that signs the tokens of guests’ carts, at least 32 characters',
      secret: 'random',
    },
  },
  events,
  operations: {
    'get-cart': get('/api/v1/carts/current', 'Read the cart', { by: 'anyone', fresh: true, maxScale: 10 }),
    'clear-cart': del('/api/v1/carts/current', 'Empty the cart', { by: 'anyone', fresh: true }),
    'set-cart-item': put('/api/v1/carts/current/items/{sku}', 'Put a product into the cart', {
      by: 'anyone',
      fresh: true,
      emits: ['cart.deadline-reached'],
      maxScale: 10,
    }),
    'remove-cart-item': del('/api/v1/carts/current/items/{sku}', 'Take a product out of the cart', {
      by: 'anyone',
      fresh: true,
    }),
    'checkout-cart': post('/api/v1/carts/current/checkout', 'Order what is in the cart', {
      by: 'user',
      fresh: true,
      idempotent: true,
      limits: { user: 1_200 },
      concurrency: 100,
      maxScale: 10,
    }),
  },
  reactions: {
    'end-cart-sessions': onEndedSessions,
    'forget-shopper': onDeletedUser('Forgets the cart of a deleted user'),
    'project-price': on(
      ['product.created', 'product.updated', 'product.deleted'],
      'Keeps the prices that carts show',
    ),
    'empty-cart': on(['cart.ordered'], 'Takes out of a cart what was ordered from it', { patient: true }),
    'expire-cart': on(['cart.deadline-reached'], 'Deletes a cart that has not changed for 30 days', {
      emits: ['cart.deadline-reached'],
      patient: true,
      maxScale: 1,
    }),
  },
})
