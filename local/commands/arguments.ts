import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UserError } from '../../functions/shared/process/user-error.ts'

/**
 * Parses the arguments of a command. With `--help`, prints the usage and exits.
 * @param usage a text that begins with the command, such as `npm run reset`
 * @throws UserError if an argument is unknown or has no value
 */
export function readArguments<T extends ParseArgsConfig>(usage: string, config: T) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage)
    process.exit(0)
  }
  return parseArguments(usage, config)
}

/** Like `readArguments`, for commands that handle `--help` themselves. */
export function parseArguments<T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const [command] = /^npm (?:run )?[\w:-]+/.exec(usage) ?? []
    // the rest of Node's message explains how to pass it as a positional argument
    throw new UserError(`${error.message.split('. ')[0]}. See ${command} -- --help.`)
  }
}
