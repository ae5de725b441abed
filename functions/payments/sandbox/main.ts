/** Runs the payment sandbox, which stands in for a payment provider, as its own process. */
import { readConfig } from '../../shared/process/config.ts'
import { printError } from '../../shared/process/run.ts'
import { UserError } from '../../shared/process/user-error.ts'
import { closeTelemetry, telemetry } from '../../shared/telemetry/telemetry.ts'
import { startSandbox } from './server.ts'
import { readWebhookOptions } from './webhooks.ts'

const config = readConfig(process.env)

function fail(error: unknown): never {
  // a system error is clear without its stack, for example if the port is in use or the disk is full
  const isOfSystem = error instanceof Error && 'code' in error
  printError(isOfSystem ? new UserError(error.message) : error, 'zeroshop: the payment sandbox: ')
  process.exit(1)
}

async function main() {
  const { port, close } = await startSandbox({
    port: Number(config.get('PORT') ?? 8080),
    host: config.get('HOST'),
    journal: config.need('PAYMENT_SANDBOX_JOURNAL'),
    apiKey: config.need('PAYMENT_PROVIDER_KEY'),
    webhooks: readWebhookOptions(config),
    onBroken: fail,
  })
  let closing = false
  const stop = () => {
    if (closing) return
    closing = true
    close()
      .then(closeTelemetry)
      .then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('disconnect', stop)
  telemetry()?.listening()
  process.send?.({ listening: port })
}

main().catch(fail)
