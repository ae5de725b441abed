import { del, domain, get, on, onEndedSessions, post, type Role } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

const workers: Role[] = ['staff', 'admin']

export default domain<typeof open>()({
  name: 'shipments',
  summary: 'The queue of confirmed orders, and the parcels in which they are packed, shipped and delivered',
  store: 'postgres',
  tables: ['shipment.ts'],
  settings: {
    TAKING_SECONDS: {
      description: 'how long a shipment is taken by whoever packs it; 1800 if it is not set',
    },
  },
  events,
  operations: {
    'list-shipments': get('/api/v1/shipments', 'List what waits to be shipped', { by: workers, fresh: true }),
    'get-shipment': get('/api/v1/shipments/{id}', 'Read the parcels of an order', {
      by: 'user',
      fresh: true,
    }),
    'take-shipment': post('/api/v1/shipments/{id}/taking', 'Take a shipment to pack it', {
      by: workers,
      fresh: true,
      emits: ['shipment.deadline-reached'],
    }),
    'release-shipment': del('/api/v1/shipments/{id}/taking', 'Leave a shipment to somebody else', {
      by: workers,
      fresh: true,
    }),
    'pack-parcel': post('/api/v1/shipments/{id}/parcels', 'Pack a parcel', {
      by: workers,
      fresh: true,
      idempotent: true,
      emits: ['shipment.deadline-reached'],
    }),
    'unpack-parcel': del('/api/v1/shipments/{id}/parcels/{parcelId}', 'Unpack a parcel', {
      by: workers,
      fresh: true,
    }),
    'get-parcel-label': get(
      '/api/v1/shipments/{id}/parcels/{parcelId}/label',
      'Get the label of a parcel as PDF',
      { by: workers, fresh: true },
    ),
    'ship-parcel': post('/api/v1/shipments/{id}/parcels/{parcelId}/shipment', 'Ship a parcel', {
      by: workers,
      fresh: true,
      emits: ['parcel.shipped'],
    }),
    'deliver-parcel': post(
      '/api/v1/shipments/{id}/parcels/{parcelId}/delivery',
      'Say that a parcel was delivered',
      { by: workers, fresh: true, emits: ['parcel.delivered'] },
    ),
    'fail-parcel': post(
      '/api/v1/shipments/{id}/parcels/{parcelId}/failure',
      'Say that a parcel did not reach its customer',
      { by: workers, fresh: true, emits: ['parcel.failed'] },
    ),
  },
  reactions: {
    'end-shipment-sessions': onEndedSessions,
    'queue-shipment': on(
      ['order.placed', 'order.reduced', 'order.confirmed', 'order.shipped', 'order.cancelled'],
      'Keeps the queue of what is to be shipped',
      { patient: true },
    ),
    'expire-taking': on(
      ['shipment.deadline-reached'],
      'Leaves to somebody else what was taken and not packed in time',
      { patient: true },
    ),
    'forget-addressee': on(
      ['user.deleted', 'customer.deleted'],
      'Forgets the tracking numbers of a deleted customer’s parcels once they have arrived',
      { maxScale: 1 },
    ),
    'move-shipments': on(
      ['customer.claimed'],
      'Moves the shipments of a customer who has claimed their record to their account',
      { maxScale: 1 },
    ),
  },
})
