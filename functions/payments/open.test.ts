import { pino } from 'pino'
import { expect, it } from 'vitest'
import { readConfig } from '../shared/process/config.ts'
import { rowOf } from '../table.ts'
import { open } from './open.ts'

it('refuses a payment provider that it does not know, and names those that it knows', async () => {
  const config = readConfig({ PAYMENT_PROVIDER: 'toString' }, rowOf('get-payment').settings)
  await expect(open(config, pino({ level: 'silent' }), 'get-payment')).rejects.toThrow(
    'PAYMENT_PROVIDER cannot be used: set it to the API of the payment provider, sandbox or stripe',
  )
})
