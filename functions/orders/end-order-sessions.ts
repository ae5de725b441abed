import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './order.ts'

export const endOrderSessions = keepEndedSessions('end-order-sessions', endedSessions)
