import { del, domain, get, on, onEndedSessions, patch, post, put } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'products',
  summary: 'The catalogue: what is for sale, by whom and at which price, and how customers review it',
  store: 'mongodb',
  outboxes: ['products', 'reviews'],
  events,
  operations: {
    'create-product': post('/api/v1/products', 'Add a product', {
      by: ['seller', 'admin'],
      fresh: true,
      idempotent: true,
      emits: ['product.created'],
    }),
    'import-products': post('/api/v1/products/import', 'Add or change many products', {
      by: ['seller', 'admin'],
      fresh: true,
      emits: ['product.created', 'product.updated'],
      uploadMiB: 512,
      streamSeconds: 600,
      streams: 2,
      limits: { user: 60, network: 60 },
      concurrency: 10,
      maxScale: 2,
    }),
    'export-products': get('/api/v1/products/export', 'Read all of one’s products', {
      by: ['seller', 'admin'],
      fresh: true,
      streamSeconds: 600,
      streams: 2,
      limits: { user: 60, network: 60 },
      concurrency: 10,
      maxScale: 2,
    }),
    'get-product': get('/api/v1/products/{id}', 'Read a product', { by: 'anyone', core: true, maxScale: 10 }),
    'list-products': get('/api/v1/products', 'Search products', { by: 'anyone', core: true, maxScale: 10 }),
    'list-seller-products': get('/api/v1/sellers/{id}/products', 'List what a seller sells', {
      by: 'anyone',
    }),
    'update-product': patch('/api/v1/products/{id}', 'Change a product', {
      by: ['seller', 'admin'],
      fresh: true,
      emits: ['product.updated'],
    }),
    'delete-product': del('/api/v1/products/{id}', 'Take a product off the shop', {
      by: ['seller', 'admin'],
      fresh: true,
      emits: ['product.deleted'],
    }),
    'create-review': post('/api/v1/products/{id}/reviews', 'Review a product that one has bought', {
      // whoever sells here reviews neither their own products nor those of others
      by: ['customer', 'staff', 'admin'],
      fresh: true,
      idempotent: true,
      emits: ['review.created'],
      limits: { user: 60 },
    }),
    'list-reviews': get('/api/v1/products/{id}/reviews', 'List the reviews of a product', { by: 'anyone' }),
    'get-review': get('/api/v1/products/{id}/reviews/{reviewId}', 'Read a review', { by: 'anyone' }),
    'update-review': patch('/api/v1/products/{id}/reviews/{reviewId}', 'Change one’s review', {
      by: 'user',
      fresh: true,
      emits: ['review.updated'],
    }),
    'delete-review': del(
      '/api/v1/products/{id}/reviews/{reviewId}',
      'Delete one’s review, or as staff that of a customer',
      {
        by: 'user',
        fresh: true,
        emits: ['review.deleted'],
      },
    ),
    'answer-review': put(
      '/api/v1/products/{id}/reviews/{reviewId}/answer',
      'Answer a review of what one sells',
      {
        by: ['seller', 'staff', 'admin'],
        fresh: true,
      },
    ),
    'delete-answer': del('/api/v1/products/{id}/reviews/{reviewId}/answer', 'Delete the answer to a review', {
      by: ['seller', 'staff', 'admin'],
      fresh: true,
    }),
    'list-categories': get('/api/v1/categories', 'List the categories', { by: 'anyone' }),
    'get-category': get('/api/v1/categories/{id}', 'Read a category', { by: 'anyone' }),
    'create-category': post('/api/v1/categories', 'Add a category', {
      by: ['admin'],
      fresh: true,
      idempotent: true,
    }),
    'update-category': patch('/api/v1/categories/{id}', 'Rename or move a category', {
      by: ['admin'],
      fresh: true,
    }),
    'delete-category': del('/api/v1/categories/{id}', 'Delete a category', { by: ['admin'], fresh: true }),
  },
  reactions: {
    'forget-seller': on(
      ['user.deleted', 'customer.deleted'],
      'Takes what a deleted user sells off the shop, and forgets what they wrote and bought',
      { maxScale: 1, emits: ['product.deleted', 'review.deleted'] },
    ),
    'project-availability': on(['stock.availability-changed'], 'Keeps how well each product is available', {
      patient: true,
    }),
    'track-purchase': on(
      ['order.placed', 'order.reduced', 'order.completed', 'order.cancelled'],
      'Keeps who has bought what, and may review it',
      { patient: true },
    ),
    'claim-purchases': on(
      ['customer.claimed'],
      'Lets customers who have claimed their record review what it tells that they have bought',
      { patient: true, maxScale: 1 },
    ),
    'rate-product': on(
      ['review.created', 'review.updated', 'review.deleted'],
      'Keeps the rating of a product',
      { patient: true, maxScale: 1 },
    ),
    'end-product-sessions': onEndedSessions,
  },
})
