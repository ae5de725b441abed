import { del, domain, get, on, onDeletedUser, onEndedSessions, patch, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'products',
  summary: 'The catalogue: what is for sale, by whom and at which price',
  store: 'mongodb',
  outboxes: ['products'],
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
    'forget-seller': onDeletedUser('Takes what a deleted user sells off the shop, and forgets its texts', {
      emits: ['product.deleted'],
    }),
    'project-availability': on(['stock.availability-changed'], 'Keeps how well each product is available', {
      patient: true,
    }),
    'end-product-sessions': onEndedSessions,
  },
})
