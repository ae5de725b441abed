import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'unknown-order': [422, 'The caller has no such order'],
  'order-not-returnable': [409, 'The order’s pieces cannot be sent back'],
  'return-too-late': [409, 'It is too late to send pieces back'],
  'not-in-order': [422, 'The order has no such SKU'],
  'too-many-pieces': [409, 'More pieces than can be sent back'],
  'wrong-return-status': [409, 'The return’s status does not allow this'],
  'more-than-announced': [422, 'More pieces than the customer has announced'],
})
