/** The payment provider's stand-in as a process of its own. */
import { ConfigError, readConfig } from '../../shared/process/config.ts'
import { startSandbox } from './server.ts'

const config = readConfig(process.env)

/** One line that says what to do, where we know; the stack only where we do not. */
function fail(error: unknown): never {
  const isKnown = error instanceof ConfigError || (error instanceof Error && 'code' in error)
  console.error(isKnown ? `zeroshop: the payment sandbox: ${error.message}` : error)
  process.exit(1)
}

try {
  const { port, close } = await startSandbox({
    port: Number(config.get('PORT') ?? 8080),
    host: config.get('HOST'),
    journal: config.need('PAYMENT_SANDBOX_JOURNAL'),
    apiKey: config.need('PAYMENT_PROVIDER_KEY'),
    onBroken: fail,
  })
  let closing = false
  const stop = () => {
    if (closing) return
    closing = true
    close().then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('disconnect', stop)
  process.send?.({ listening: port })
} catch (error) {
  fail(error)
}
