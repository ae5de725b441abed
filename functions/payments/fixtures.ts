import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'
import { newKey } from '../../events/signature.ts'
import { startSandbox } from './sandbox/server.ts'

export default {
  bodies: {
    'refund-payment': [{ reason: 'broken', amount: 100 }, { reason: 'lost' }],
  },
  resources: {
    '/api/v1/payments/{id}': {
      owner: 'customer',
      notFound: 'There is no payment with this id.',
      create: async (shop) => {
        const orderId = uuidv7()
        await shop.leaveSecret('payments', orderId, 'card_approved')
        await shop.react('authorize-payment', 'stock.reserved', {
          orderId,
          customerId: shop.users.customer.id,
          total: { amount: 1800, currency: 'EUR' },
        })
        await shop.react('capture-payment', 'order.shipped', { orderId })
        const { body } = await shop.get(`/payments?orderId=${orderId}`, { as: 'customer' })
        const { id } = body.items[0]
        for (const reason of ['scratched', 'late'])
          await shop.create(`/payments/${id}/refunds`, { as: 'staff', body: { reason, amount: 1 } })
        return { parameters: { id } }
      },
    },
  },
  start: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zeroshop-sandbox-'))
    const apiKey = 'test-key'
    const journal = join(folder, 'journal.jsonl')
    const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, journal, apiKey })
    return {
      environment: {
        PAYMENT_PROVIDER_URL: `http://127.0.0.1:${sandbox.port}`,
        PAYMENT_PROVIDER_KEY: apiKey,
        PAYMENT_WEBHOOK_KEYS: newKey(),
      },
      close: async () => {
        await sandbox.close()
        rmSync(folder, { recursive: true })
      },
    }
  },
} satisfies Fixtures<typeof domain>
