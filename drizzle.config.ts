import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './events/tables.ts',
    './functions/users/user.ts',
    './functions/users/session.ts',
    './functions/stock/stock.ts',
    './functions/orders/order.ts',
    './functions/payments/payment.ts',
  ],
  out: './functions/migrations',
})
