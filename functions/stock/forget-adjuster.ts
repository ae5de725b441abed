import { forgetAnswersOnly } from '../shared/store/forget-answers.ts'
import { idempotencyKeys } from './stock.ts'

export const forgetAdjuster = forgetAnswersOnly('forget-adjuster', idempotencyKeys)
