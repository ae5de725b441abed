/** `npm run compose`: the shop in containers. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { docker, dockerProblem, dockerSays, root } from './docker.ts'
import { memory } from './memory.ts'
import { makeSecrets, secretsFolder } from './secrets.ts'

const usage = `npm run compose -- [--grouped] [--profile NAME] [COMMAND …]
  without a command   makes missing secrets, builds the images, starts everything and waits until it is healthy
  up [OPTION …]       the same, with options of docker compose up: up --scale create-order=3
  memory              prints what each container holds resident
  …                   any other command of docker compose: ps, logs, down, down --volumes
  --grouped           a container for each domain, not for each function: for small machines
  --profile core      only what an order needs
  --help              this
SITE=shop.example.org has a certificate fetched for it, and listens for all the world on the ports 80 and 443.`

/** The file into which the local authority's certificate is put, for clients to trust. */
export const rootCertificate = join(secretsFolder, 'gateway-root.crt')

/** The settings of `docker compose`: with a SITE, what belongs to it. */
export function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!env['SITE']) return env
  return { BIND: '0.0.0.0', HTTP_PORT: '80', HTTPS_PORT: '443', ...env }
}

/** Our own options, which come first; the rest is docker compose's. */
export function readArguments(args: string[]) {
  let file = 'compose.yaml'
  const profiles: string[] = []
  while (args[0]?.startsWith('-')) {
    const option = args.shift()
    if (option === '--grouped') file = 'compose.grouped.yaml'
    else if (option === '--profile' && args[0] !== undefined) profiles.push('--profile', args.shift()!)
    else return undefined
  }
  const [command = 'up', ...rest] = args
  return { compose: ['compose', '-f', join('compose', file), ...profiles], command, rest }
}

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  if (args[0] === '--help') {
    console.log(usage)
    return 0
  }
  const read = readArguments(args)
  if (read === undefined) return fail(usage)
  const problem = dockerProblem()
  if (problem !== undefined) return fail(problem)
  const { compose, command, rest } = read
  const env = environmentOf(process.env)
  if (command === 'memory') {
    console.log(await memory(compose))
    return 0
  }
  if (command !== 'up') return docker([...compose, command, ...rest], env)

  const made = await makeSecrets()
  if (made.length > 0) console.log(`Made ${made.length} secrets in compose/secrets.`)
  const images = spawnSync(process.execPath, [join(root, 'compose/images.ts')], { stdio: 'inherit' })
  if (images.status !== 0) return images.status ?? 1
  const code = await docker([...compose, 'up', '--detach', '--wait', '--remove-orphans', ...rest], env)
  if (code !== 0) return explain(compose)
  await announce(compose, env)
  return 0
}

async function announce(compose: string[], env: NodeJS.ProcessEnv) {
  const site = env['SITE']
  const url = site ? `https://${site}` : `https://localhost:${env['HTTPS_PORT'] ?? 8443}`
  const local = site === undefined || site === '' || site === 'localhost'
  if (local) await trust(compose)
  console.log(`
${pc.bold(pc.green('Zeroshop'))} is at ${pc.bold(url)}

  ${url}/docs                      the API, to read and to try
  ${local ? `NODE_EXTRA_CA_CERTS=compose/secrets/gateway-root.crt ` : ''}SHOP_URL=${url} npm run demo
  npm run compose -- memory        what each container holds resident
  npm run compose -- down          stops it; the data stays

The people customer@, seller@, staff@ and admin@example.com log in with the password in compose/secrets/demo-password.${
    local ? '\nThe certificate is of an authority of its own: compose/secrets/gateway-root.crt.' : ''
  }`)
}

/** Puts the certificate of the gateway's own authority where clients can be told to trust it. */
async function trust(compose: string[]) {
  const path = '/data/caddy/pki/authorities/local/root.crt'
  writeFileSync(rootCertificate, await dockerSays([...compose, 'exec', '-T', 'gateway', 'cat', path]))
}

/** Tells which containers are not as they should be, and what each said last. */
async function explain(compose: string[]): Promise<number> {
  const found = await dockerSays([...compose, 'ps', '--all', '--format', 'json'])
  const containers = found
    .split('\n')
    .filter((line) => line !== '')
    // as docker compose prints it
    .map((line) => JSON.parse(line) as { Service: string; State: string; Health: string; ExitCode: number })
  const bad = containers.filter(
    ({ Service, State, Health, ExitCode }) =>
      !(State === 'running' && Health !== 'unhealthy') && !(Service === 'migrate' && ExitCode === 0),
  )
  for (const { Service, State } of bad) {
    const said = (await dockerSays([...compose, 'logs', '--no-log-prefix', '--tail', '3', Service])).trim()
    console.error(`${pc.red(`${Service} is ${State}`)}${said === '' ? '' : `: ${said}`}`)
  }
  return 1
}

function fail(message: string): number {
  console.error(message)
  return 1
}

if (import.meta.main) process.exitCode = await main()
