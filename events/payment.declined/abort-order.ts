export { abortOrder } from '../stock.rejected/abort-order.ts'
