import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'too-many-webhook-endpoints': [409, 'Too many webhook endpoints'],
  'webhook-endpoint-disabled': [409, 'The webhook endpoint is disabled'],
})
