import { pino, type Logger } from 'pino'
import { telemetry } from '../telemetry/telemetry.ts'
import { settings, type Config } from './config.ts'
import { loggable } from './loggable.ts'
import { UserError } from './user-error.ts'

/**
 * Opens the log of a process that serves a function, on standard output.
 * @param isSync whether each line is written at once, so that it is not overtaken by what a command prints
 * @throws UserError if LOG_LEVEL is not a level
 */
export const openLog = (config: Config, name: string, { isSync = false } = {}): Logger =>
  pino(
    {
      level: readLevel(config.get('LOG_LEVEL')),
      base: { function: name },
      serializers: { err: loggable },
      // the ids of the trace and of the request
      mixin: () => telemetry()?.logFields() ?? {},
    },
    isSync ? pino.destination({ sync: true }) : undefined,
  )

function readLevel(level = 'info'): string {
  if (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(level)) return level
  throw new UserError(`LOG_LEVEL=${level}: set it to ${settings['LOG_LEVEL']!.split(';')[0]}.`)
}
