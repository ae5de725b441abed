import { styleText } from 'node:util'
import { UserError } from './user-error.ts'

/**
 * Runs the main function of a command and sets the exit code of the process: what `main` returns, if anything, or 1 if
 * it throws.
 * @param prefix is put before the message of a UserError
 */
export async function run(main: () => Promise<number | void>, prefix = ''): Promise<void> {
  try {
    process.exitCode = (await main()) ?? process.exitCode
  } catch (error) {
    printError(error, prefix)
    process.exitCode = 1
  }
}

/** Prints an error to standard error: of a UserError only the message, of anything else the stack, too. */
export function printError(error: unknown, prefix = ''): void {
  const isForUsers = error instanceof UserError
  console.error(isForUsers ? styleText('red', prefix + error.message, { stream: process.stderr }) : error)
}
