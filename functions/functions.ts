/** The domains of the shop, a line each: to add one, add its folder and its line. */
export { default as orders } from './orders/domain.ts'
export { default as payments } from './payments/domain.ts'
export { default as products } from './products/domain.ts'
export { default as stock } from './stock/domain.ts'
export { default as users } from './users/domain.ts'
