import { keepEndedSessions } from '../shared/store/ended-sessions-mongodb.ts'

export const endCartSessions = keepEndedSessions('end-cart-sessions')
