import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'email-kept': [409, 'Another customer without an account has this e-mail address'],
  'has-account': [409, 'The customer has an account'],
  'email-of-account': [409, 'The e-mail address belongs to the account'],
  'too-many-addresses': [409, 'Too many saved addresses'],
  'too-many-payment-methods': [409, 'Too many saved payment methods'],
  'payment-method-saved': [409, 'The payment method is saved already'],
  'claim-used': [409, 'The link was used already'],
  'claim-not-valid': [422, 'The link is not valid'],
})
