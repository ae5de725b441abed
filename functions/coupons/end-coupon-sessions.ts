import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './coupon.ts'

export const endCouponSessions = keepEndedSessions('end-coupon-sessions', endedSessions)
