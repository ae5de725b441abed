import { demoPassword } from '../../local/people.ts'
import { scenarios, type ScenarioName } from '../../local/scenarios.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { parseArguments } from '../../local/commands/arguments.ts'

export interface Options {
  scenario: ScenarioName
  seconds: number
  /** Requests per second at the usual load. */
  rate: number
  url: string
  /** The cluster's namespace. If undefined, the shop is asked whether it is the local runner. */
  namespace: string | undefined
  html: string
  /** The maximum number of requests in flight. */
  limit: number
  /** Whether to begin without waiting until nothing runs. */
  now: boolean
  password: string
}

export const defaultNamespace = 'zeroshop'

export const usage = `npm run demo:scale -- [options]
  --scenario NAME   the load (usual):
${Object.entries(scenarios)
  .map(([name, { about, seconds }]) => `                    ${name.padEnd(13)} ${about} (${seconds} s)`)
  .join('\n')}
  --seconds N       how long the load lasts
  --rate N          requests per second at the usual load (10)
  --url URL         the shop (http://localhost:8080, or SHOP_URL)
  --namespace NAME  read a cluster with kubectl (default if the shop is not the local runner: ${defaultNamespace})
  --html FILE       the file for the charts (.data/scale.html)
  --in-flight N     send no more while this many requests are unanswered (1000)
  --now             begin without waiting until nothing runs
SHOP_PASSWORD is the password of staff@example.com, who receives stock for the orders. NODE_EXTRA_CA_CERTS
names the file of a certificate to trust.`

/** @throws UserError if an option is wrong; its message says what is wrong */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { values } = parse(args)
  if (values.help) return 'help'
  const scenario = values.scenario ?? 'usual'
  if (!isScenario(scenario))
    throw new UserError(
      `There is no scenario ${scenario}. Choose one of ${Object.keys(scenarios).join(', ')}.`,
    )
  const url = values.url ?? env['SHOP_URL'] ?? `http://localhost:${env['PORT'] ?? 8080}`
  if (!/^https?:/.test(URL.parse(url)?.protocol ?? ''))
    throw new UserError(`--url ${url}: must be a full URL, such as http://localhost:8080.`)
  return {
    scenario,
    seconds: number('--seconds', values.seconds, scenarios[scenario].seconds, [5, 3600]),
    rate: number('--rate', values.rate, 10, [0.1, 1000]),
    url: url.replace(/\/+$/, ''),
    namespace: values.namespace,
    html: values.html ?? '.data/scale.html',
    limit: number('--in-flight', values['in-flight'], 1000, [1, 10_000]),
    now: values.now ?? false,
    password: env['SHOP_PASSWORD'] ?? demoPassword,
  }
}

const isScenario = (name: string): name is ScenarioName => Object.hasOwn(scenarios, name)

const parse = (args: string[]) =>
  parseArguments(usage, {
    args,
    options: {
      scenario: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      url: { type: 'string' },
      namespace: { type: 'string', short: 'n' },
      html: { type: 'string' },
      'in-flight': { type: 'string' },
      now: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })

function number(
  name: string,
  text: string | undefined,
  otherwise: number,
  [min, max]: [min: number, max: number],
): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max) return value
  throw new UserError(`${name} ${text}: must be a number from ${min} to ${max}.`)
}
