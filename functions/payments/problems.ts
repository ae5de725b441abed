import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'wrong-payment-status': [409, 'The payment’s status does not allow this'],
  'refund-too-large': [409, 'The refund is larger than what is left of the payment'],
  'webhook-unreadable': [400, 'The webhook is not one of the payment provider’s'],
  'webhook-not-signed': [401, 'The webhook is not signed by the payment provider'],
  'payment-provider-failed': [502, 'The payment provider did not do it'],
  'payment-provider-unavailable': [503, 'The payment provider cannot be reached just now'],
})
