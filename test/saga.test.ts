import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Entry } from '../functions/payments/sandbox/sandbox.ts'
import { describeSaga } from './saga.ts'
import { startTestSystem, type TestSystem } from './system.ts'

let shop: TestSystem
beforeAll(async () => {
  shop = await startTestSystem({ RETRY_DELAYS_SECONDS: '0.2,0.5,1,2,5' })
})
afterAll(() => shop.stop())

describeSaga(() => shop)

it('takes a webhook for each change of a payment at the provider', { timeout: 30_000 }, async () => {
  const journal = shop.system.environment.ofService('payment-sandbox')['PAYMENT_SANDBOX_JOURNAL']!
  const lines = (path: string) =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : []
  // written by the sandbox
  const changes = lines(journal).filter((line) => (JSON.parse(line) as Entry).outcome !== 'refused')
  expect(changes.length).toBeGreaterThan(0)
  await expect
    .poll(() => lines(`${journal}.webhooks`).length, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(changes.length)
})
