export { trackOrder } from '../stock.reserved/track-order.ts'
