import { nameOf } from '../hosts.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { readLimitsFactor } from '../../functions/shared/http/limits-factor.ts'
import { readOrigins, type Origins } from '../cors.ts'
import { parseArguments } from './arguments.ts'

export interface Options {
  port: number
  /** The stable window of the autoscaler, in seconds. */
  window: number
  /** The maximum number of processes of each function. */
  maxScale: number | undefined
  inProcess: boolean
  /** The origins whose pages may call the shop; none if it is left out. */
  origins?: Origins
  /** Hosts besides this machine for which requests are answered, as browsers write them. */
  allowedHosts?: readonly string[]
}

export const usage = `npm start -- [options]
  --window SECONDS   stops a function that has been idle for this long (60)
  --max-scale N      limits the processes of each function
  --in-process       runs all functions in one process
PORT sets the port (8080), DATA_DIR the data folder (.data, or a folder outside the checkout if .data cannot be used),
CORS_ORIGINS the origins whose pages may call the shop, such as https://shop.example.org, or * (none),
ALLOWED_HOSTS the hosts at which the shop may be reached besides localhost, such as shop.test,10.0.0.7,
LIMITS_FACTOR what the limits on the requests of each caller are multiplied by (1; 0 switches them off).`

/** @throws UserError if an option is unknown or its value is out of range */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { values } = parse(args)
  if (values.help) return 'help'
  // throws if the functions could not use it
  readLimitsFactor(env['LIMITS_FACTOR'])
  return {
    port: whole('PORT', env['PORT'] ?? '8080', 0, 65_535),
    window: whole('--window', values.window ?? '60', 2, 3_600),
    maxScale:
      values['max-scale'] === undefined ? undefined : whole('--max-scale', values['max-scale'], 1, 100),
    inProcess: values['in-process'] ?? false,
    origins: readOrigins(env['CORS_ORIGINS']),
    allowedHosts: hosts('ALLOWED_HOSTS', env['ALLOWED_HOSTS'] ?? ''),
  }
}

const parse = (args: string[]) =>
  parseArguments(usage, {
    args,
    options: {
      window: { type: 'string' },
      'max-scale': { type: 'string' },
      'in-process': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new UserError(`${name}=${text}: set it to a whole number from ${min} to ${max}.`)
}

function hosts(name: string, text: string): string[] {
  const given = text.split(',').filter((host) => host.trim() !== '')
  return given.map((host) => {
    const known = nameOf(host.trim())
    if (known !== undefined && !/[/@?#]/.test(host)) return known
    throw new UserError(
      `${name}=${text}: set it to host names, separated by commas, such as shop.test,10.0.0.7.`,
    )
  })
}
