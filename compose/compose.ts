/** `npm run compose`: runs the shop in containers. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { readLimitsFactor } from '../functions/shared/http/limits-factor.ts'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { parseArguments } from '../local/commands/arguments.ts'
import { readOrigins } from '../local/cors.ts'
import {
  buildChangedImages,
  docker,
  dockerProblem,
  dockerRoot,
  dockerSays,
  someAtOnce,
} from '../images/docker.ts'
import { memory } from './memory.ts'
import { makeSecrets, secretsFolder } from './secrets.ts'
import { up } from './up.ts'

const usage = `npm run compose -- [--grouped | --redis] [--profile NAME] [COMMAND …]
  without a command   makes missing secrets, builds the images, starts everything and waits until it is healthy
  up [OPTION …]       the same, with options of docker compose up: up --scale create-order=3
  memory              prints the resident memory of each container, and of what watches the shop
  …                   any other command of docker compose: ps, logs, down, down --volumes
  --grouped           starts one container for each domain instead of each function, for small machines
  --redis             counts the requests of callers in Redis, instead of in the store of each domain
  --profile NAME      core: only what an order needs; rest: all functions (the default). On top, and together:
                      monitoring: metrics, traces, dashboards and alerts; logging: logs that can be searched;
                      cache: --redis, and a page that shows what is in Redis
  --help              prints this text
If SITE=shop.example.org is set, the gateway fetches a certificate for this host, and listens on the ports 80
and 443 of all addresses. CORS_ORIGINS names the origins whose pages may call the shop. LIMITS_FACTOR multiplies
the limits on the requests of each caller; 0 switches them off.`

/** Where functions send metrics and traces, if they are monitored. */
const collector = 'http://collector:4318'

/** The file to which the local authority's certificate is copied, so that clients can trust it. */
export const rootCertificate = join(secretsFolder, 'gateway-root.crt')

/**
 * Returns the environment of `docker compose`. If SITE is set, it includes the address and ports of a public
 * site.
 * @throws UserError if SITE is not the name of a host, CORS_ORIGINS are not origins, or LIMITS_FACTOR is not a number
 */
export function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // these throw if they cannot be used
  readOrigins(env['CORS_ORIGINS'])
  readLimitsFactor(env['LIMITS_FACTOR'])
  const site = env['SITE']
  if (!site || site === 'localhost') return env
  if (!/^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/i.test(site))
    throw new UserError(`SITE=${site} is not the name of a host. Set it to one such as shop.example.org.`)
  return { BIND: '0.0.0.0', HTTP_PORT: '80', HTTPS_PORT: '443', ...env }
}

/** The values of `--profile`, and the profiles of the Compose files that each activates. */
const profiles: Record<string, string[]> = {
  core: ['core'],
  rest: ['core', 'rest'],
  monitoring: ['monitoring'],
  logging: ['logging'],
  cache: ['cache'],
}

/**
 * Parses our own options, which come first. The command and everything after it are passed to docker compose.
 * @throws UserError if an option or a profile is unknown, or options do not fit together
 */
export function readArguments(args: readonly string[]) {
  const at = args.findIndex((arg, n) => !arg.startsWith('-') && args[n - 1] !== '--profile')
  const own = at < 0 ? args : args.slice(0, at)
  const { values } = parseOwn([...own])
  const profile = profilesOf(values.profile ?? [])
  const hasCachePage = profile.includes('cache')
  const hasRedis = values.redis === true || hasCachePage
  if (values.grouped && hasRedis)
    throw new UserError(
      `${values.redis ? '--redis' : '--profile cache'} is for a container for each function: leave out --grouped.`,
    )
  const files = values.grouped ? ['compose.grouped.yaml'] : ['compose.yaml']
  if (hasRedis) files.push('compose.redis.yaml')
  const [command = 'up', ...rest] = at < 0 ? [] : args.slice(at)
  return {
    help: values.help === true,
    compose: [
      'compose',
      ...files.flatMap((file) => ['-f', join('compose', file)]),
      ...profile.flatMap((name) => ['--profile', name]),
    ],
    isMonitored: profile.includes('monitoring'),
    isLogged: profile.includes('logging'),
    hasCachePage,
    /** The options as they were given, for the commands that are printed at the end. */
    own: own.join(' '),
    command,
    rest,
  }
}

/** Returns the profiles of the Compose files; without one of functions, there are all functions. */
function profilesOf(given: readonly string[]): string[] {
  const unknown = given.find((name) => !Object.hasOwn(profiles, name))
  if (unknown !== undefined)
    throw new UserError(
      `There is no profile ${unknown}. Use core, or rest for everything; monitoring, logging and cache come on top.`,
    )
  if (given.length === 0) return []
  const hasFunctions = given.some((name) => profiles[name]!.includes('core'))
  return [...new Set([...(hasFunctions ? [] : ['rest']), ...given].flatMap((name) => profiles[name]!))]
}

const parseOwn = (args: string[]) =>
  parseArguments(usage, {
    args,
    options: {
      grouped: { type: 'boolean' },
      redis: { type: 'boolean' },
      profile: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  })

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2))
  const { help, compose, command, rest, isMonitored, isLogged } = given
  if (help) {
    console.log(usage)
    return 0
  }
  const problem = dockerProblem()
  if (problem !== undefined) throw new UserError(problem)
  const env = {
    ...someAtOnce,
    ...(isMonitored && { OTEL_EXPORTER_OTLP_ENDPOINT: collector }),
    ...(isLogged && { DOCKER_ROOT: await dockerRoot() }),
    ...environmentOf(process.env),
  }
  if (command === 'memory') {
    console.log(await memory(compose))
    return 0
  }
  // removes the containers of the other file, too, which uses the same stores
  const more = command === 'down' ? ['--remove-orphans'] : []
  if (command !== 'up') return docker([...compose, command, ...more, ...rest], env)

  const made = await makeSecrets()
  if (made.length > 0) console.log(`Made ${made.length} secrets in compose/secrets.`)
  const built = buildChangedImages()
  if (built !== 0) return built
  // with options, such as the number of containers of a function, it is for Compose alone
  const code =
    rest.length === 0
      ? await up(compose, env)
      : await docker([...compose, 'up', '--detach', '--wait', '--remove-orphans', ...rest], env)
  if (code !== 0) return explain(compose)
  await announce(given, env)
  return 0
}

async function announce(
  { compose, own, isMonitored, hasCachePage }: ReturnType<typeof readArguments>,
  env: NodeJS.ProcessEnv,
) {
  const again = `npm run compose -- ${own}${own === '' ? '' : ' '}`
  const site = env['SITE']
  const url = site ? `https://${site}` : `https://localhost:${env['HTTPS_PORT'] ?? 8443}`
  const local = site === undefined || site === '' || site === 'localhost'
  if (local) await trust(compose)
  console.log(`
${pc.bold(pc.green('Zeroshop'))} is at ${pc.bold(url)}

  ${url}/docs                      the documentation of the API, where you can try it
  ${local ? `NODE_EXTRA_CA_CERTS=compose/secrets/gateway-root.crt ` : ''}SHOP_URL=${url} npm run demo
  ${again}memory        prints the resident memory of each container
  ${again}down          stops the shop and keeps its data
${isMonitored ? `\n  http://localhost:${env['GRAFANA_PORT'] ?? 3000}            dashboards: admin, with the password in compose/secrets/grafana-admin-password\n` : ''}${hasCachePage ? `\n  ${url}/_cache           what is in Redis: admin, with the password in compose/secrets/gateway-admin-password\n` : ''}
The users customer@, seller@, staff@ and admin@example.com log in with the password in compose/secrets/demo-password.${
    local ? '\nThe certificate is from a local authority: compose/secrets/gateway-root.crt.' : ''
  }`)
}

/** Copies the certificate of the gateway's own authority to a file, so that clients can trust it. */
async function trust(compose: string[]) {
  const path = '/data/caddy/pki/authorities/local/root.crt'
  writeFileSync(rootCertificate, await dockerSays([...compose, 'exec', '-T', 'gateway', 'cat', path]))
}

/** The services that end by themselves. */
const jobs = new Set(['prepare-volumes', 'prepare-monitoring', 'prepare-logs', 'migrate'])

/**
 * Prints which containers have failed, with the last lines of their logs.
 * @returns the exit code
 */
async function explain(compose: string[]): Promise<number> {
  const found = await dockerSays([...compose, 'ps', '--all', '--format', 'json'])
  const containers = found
    .split('\n')
    .filter((line) => line !== '')
    // the format in which docker compose prints it
    .map((line) => JSON.parse(line) as { Service: string; State: string; Health: string; ExitCode: number })
  const bad = containers.filter(
    ({ Service, State, Health, ExitCode }) =>
      !(State === 'running' && Health !== 'unhealthy') && !(jobs.has(Service) && ExitCode === 0),
  )
  for (const { Service, State } of bad) {
    const said = (await dockerSays([...compose, 'logs', '--no-log-prefix', '--tail', '3', Service])).trim()
    console.error(`${pc.red(`${Service} is ${State}`)}${said === '' ? '' : `: ${said}`}`)
  }
  return 1
}

if (import.meta.main) await run(main)
