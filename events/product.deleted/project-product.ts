export { projectProduct } from '../product.created/project-product.ts'
