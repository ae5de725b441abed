import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './notification.ts'

export const endNotificationSessions = keepEndedSessions('end-notification-sessions', endedSessions)
