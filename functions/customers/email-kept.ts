import { Problem } from '../shared/http/problems.ts'
import { problems } from './problems.ts'

export const emailKept = () =>
  new Problem(problems['email-kept'], {
    detail: 'Search for the customer with ?q= and use that record, or give another e-mail address.',
  })
