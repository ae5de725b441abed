import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './payment.ts'

export const endPaymentSessions = keepEndedSessions('end-payment-sessions', endedSessions)
