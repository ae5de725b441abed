import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UserError } from '../../functions/shared/process/user-error.ts'

/**
 * Parses the arguments of a command; with `--help` it prints the usage and ends the process.
 * @param usage begins with the command, such as `npm run reset`
 * @throws UserError if an argument is unknown or lacks its value
 */
export function readArguments<T extends ParseArgsConfig>(usage: string, config: T) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage)
    process.exit(0)
  }
  return parseArguments(usage, config)
}

/** The same for a command that handles `--help` itself. */
export function parseArguments<T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const [command] = /^npm (?:run )?[\w:-]+/.exec(usage) ?? []
    // the rest of Node's message is about how to pass such an argument as a positional one
    throw new UserError(`${error.message.split('. ')[0]}. See ${command} -- --help.`)
  }
}
