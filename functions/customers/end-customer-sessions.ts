import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './customer.ts'

export const endCustomerSessions = keepEndedSessions('end-customer-sessions', endedSessions)
