import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './invoice.ts'

export const endInvoiceSessions = keepEndedSessions('end-invoice-sessions', endedSessions)
