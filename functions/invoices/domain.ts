import { domain, get, on, onEndedSessions, type Role } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

const managers: Role[] = ['staff', 'admin']

export default domain<typeof open>()({
  name: 'invoices',
  summary: 'Invoices for what was paid, and credit notes for what was refunded; none is ever changed',
  store: 'postgres',
  tables: ['invoice.ts'],
  appendOnly: ['invoices'],
  settings: {
    SELLER_NAME: { description: 'who issues the invoices; Zeroshop if it is not set' },
    SELLER_ADDRESS: {
      description: 'the address on the invoices; 1 Example Street, 10115 Berlin, DE if it is not set',
    },
    SELLER_TAX_ID: { description: 'the seller’s tax number; DE000000000 if it is not set' },
  },
  events,
  operations: {
    'list-invoices': get('/api/v1/invoices', 'List invoices and credit notes', { by: 'user', fresh: true }),
    'get-invoice': get('/api/v1/invoices/{id}', 'Read an invoice or credit note, as JSON, HTML or PDF', {
      by: 'user',
      fresh: true,
      limits: { user: 600 },
    }),
    'verify-invoice': get(
      '/api/v1/invoices/{id}/verification',
      'Check that an invoice and its neighbours were not changed',
      { by: managers, fresh: true, limits: { user: 600 }, maxScale: 1 },
    ),
    'verify-invoices': get(
      '/api/v1/invoice-verification',
      'Check that no invoice of a year is missing or was changed',
      { by: managers, fresh: true, limits: { user: 10 }, maxScale: 1 },
    ),
  },
  reactions: {
    'end-invoice-sessions': onEndedSessions,
    'keep-invoice-claim': on(
      ['customer.claimed'],
      'Shows an account the invoices of the customer whose record it has claimed',
      { maxScale: 1 },
    ),
    'issue-invoice': on(['payment.captured'], 'Issues the invoice for a captured payment', {
      emits: ['invoice.issued'],
      patient: true,
    }),
    'drop-bill': on(['payment.capture-failed'], 'Forgets what the invoice would have stated', {
      maxScale: 1,
      patient: true,
    }),
    'keep-return': on(['return.received'], 'Keeps the lines of the credit note that follows', {
      patient: true,
    }),
    'issue-credit-note': on(['payment.refunded'], 'Issues the credit note for a refund', {
      emits: ['credit-note.issued'],
      patient: true,
    }),
  },
})
