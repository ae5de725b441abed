import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './shipment.ts'

export const endShipmentSessions = keepEndedSessions('end-shipment-sessions', endedSessions)
