import { domain, get, on, onDeletedUser, onEndedSessions, patch, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

/** What a function emits that changes what is available. */
const announces = ['stock.availability-changed', 'stock.low'] as const

/** What a function emits that makes stock available: orders that wait for it may have all they need then. */
const fills = ['stock.reserved', ...announces] as const

export default domain<typeof open>()({
  name: 'stock',
  summary: 'How many of each SKU are available, reserved or sold',
  store: 'postgres',
  tables: ['stock.ts'],
  settings: {
    LOW_STOCK_THRESHOLD: {
      description:
        'at how many available pieces or fewer a SKU without a threshold of its own is low; 5 if it is not set',
    },
  },
  events,
  operations: {
    'get-stock': get('/api/v1/stock/{sku}', 'Read the stock of a SKU', { by: 'anyone', core: true }),
    'list-stock-history': get('/api/v1/stock/{sku}/history', 'What happened to the stock of a SKU', {
      by: ['seller', 'staff', 'admin'],
      fresh: true,
      maxScale: 2,
    }),
    'adjust-stock': post('/api/v1/stock/{sku}/adjustments', 'Receive or write off stock', {
      by: ['seller', 'staff', 'admin'],
      fresh: true,
      idempotent: true,
      emits: fills,
    }),
    'adjust-stocks': post('/api/v1/stock/adjustments', 'Receive or write off stock of many SKUs', {
      by: ['seller', 'staff', 'admin'],
      fresh: true,
      idempotent: true,
      emits: fills,
      uploadMiB: 64,
      streamSeconds: 600,
      streams: 2,
      limits: { user: 60, network: 60 },
      maxScale: 2,
      concurrency: 10,
    }),
    'update-stock': patch('/api/v1/stock/{sku}', 'Change at how many pieces a SKU is low', {
      by: ['seller', 'staff', 'admin'],
      fresh: true,
      emits: announces,
    }),
  },
  reactions: {
    'end-stock-sessions': onEndedSessions,
    'forget-adjuster': onDeletedUser('Forgets the answers that are kept for a deleted user'),
    'open-stock': on(['product.created'], 'Opens the stock account of a new SKU'),
    'reserve-stock': on(['order.placed'], 'Reserves every line of the order, or what is there, or none', {
      emits: ['stock.reserved', 'stock.partly-reserved', 'stock.rejected', ...announces],
      leadsTo: 'stock.reserved',
    }),
    'backorder-stock': on(['order.backordered'], 'Lets an order wait for what is missing', {
      emits: fills,
      maxScale: 2,
    }),
    'release-stock': on(['order.cancelled'], 'Gives reserved stock back', {
      emits: ['stock.released', 'stock.committed', ...fills],
    }),
    'restock-return': on(['return.received'], 'Makes what came back available again', {
      emits: fills,
    }),
    'commit-stock': on(['order.completed'], 'Turns reserved stock into sold stock', {
      emits: ['stock.committed'],
    }),
  },
})
