import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './stock.ts'

export const endStockSessions = keepEndedSessions('end-stock-sessions', endedSessions)
