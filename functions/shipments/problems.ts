import { declareProblems } from '../shared/http/problems.ts'

export const problems = declareProblems({
  'wrong-shipment-status': [409, 'The shipment’s status does not allow this'],
  'wrong-parcel-status': [409, 'The parcel’s status does not allow this'],
  'shipment-taken': [409, 'Somebody else packs this shipment'],
  'shipment-not-taken': [409, 'Take the shipment first'],
  'not-left-to-pack': [409, 'There is not so much left to pack'],
  'address-forgotten': [409, 'The order has no address any more'],
})
