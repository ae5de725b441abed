/** The domains of the shop, one per line. To add a domain, add its folder and a line here. */
export { default as coupons } from './coupons/domain.ts'
export { default as customers } from './customers/domain.ts'
export { default as notifications } from './notifications/domain.ts'
export { default as orders } from './orders/domain.ts'
export { default as payments } from './payments/domain.ts'
export { default as products } from './products/domain.ts'
export { default as stock } from './stock/domain.ts'
export { default as users } from './users/domain.ts'
