import { keepEndedSessions } from '../shared/store/ended-sessions.ts'
import { endedSessions } from './return.ts'

export const endReturnSessions = keepEndedSessions('end-return-sessions', endedSessions)
