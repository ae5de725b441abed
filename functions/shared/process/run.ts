import { styleText } from 'node:util'
import { withoutProxyOnLoopback } from './no-proxy.ts'
import { UserError } from './user-error.ts'

/**
 * Runs the main function of a command, and sets the exit code of the process: the number that `main` returns,
 * or 1 if it throws. Its requests to this machine, and those of the processes that it starts, take no proxy.
 * @param prefix is printed before the message of a UserError
 */
export async function run(main: () => Promise<number | void>, prefix = ''): Promise<void> {
  Object.assign(process.env, withoutProxyOnLoopback(process.env))
  // `fetch` reads the variables for each request, but node:http has read them when the process started
  if (process.env['NODE_USE_ENV_PROXY'] === '1') process.getBuiltinModule('node:http').setGlobalProxyFromEnv()
  try {
    process.exitCode = (await main()) ?? process.exitCode
  } catch (error) {
    printError(error, prefix)
    process.exitCode = 1
  }
}

/** Prints an error to standard error: only the message of a UserError, and any other error with its stack. */
export function printError(error: unknown, prefix = ''): void {
  const isForUsers = error instanceof UserError
  console.error(isForUsers ? styleText('red', prefix + error.message, { stream: process.stderr }) : error)
}
