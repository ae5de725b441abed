import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'wrong-order-status': [409, 'The order’s status does not allow this'],
  'unknown-sku': [422, 'The shop has no such SKU'],
  'mixed-currencies': [422, 'An order has one currency'],
  'order-too-large': [422, 'The order is too large'],
})
