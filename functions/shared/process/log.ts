import { pino, type Logger } from 'pino'
import { settings, type Config } from './config.ts'
import { loggable } from './loggable.ts'
import { UserError } from './user-error.ts'

/**
 * Opens the log of a process that serves a function, on standard output.
 * @throws UserError if LOG_LEVEL is not a level
 */
export const openLog = (config: Config, name: string): Logger =>
  pino({
    level: readLevel(config.get('LOG_LEVEL')),
    base: { function: name },
    serializers: { err: loggable },
  })

function readLevel(level = 'info'): string {
  if (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(level)) return level
  throw new UserError(`LOG_LEVEL=${level}: set it to ${settings['LOG_LEVEL']!.split(';')[0]}.`)
}
