import { burnRates, type Alert } from '../alert.ts'
import { availability, latency, orderPatience, orders, patience } from '../objectives.ts'

/** What customers notice. */
export const objectives: Alert[] = [
  ...burnRates('RequestsFail', availability, 'requests have failed'),
  ...burnRates('RequestsAreSlow', latency, `answers have taken longer than ${patience} s`),
  ...burnRates('OrdersDoNotEnd', orders, `orders have not ended within ${orderPatience} s`),
]
