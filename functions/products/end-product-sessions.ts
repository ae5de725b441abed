import { keepEndedSessions } from '../shared/store/ended-sessions-mongodb.ts'

export const endProductSessions = keepEndedSessions('end-product-sessions')
