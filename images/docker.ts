import { execFile, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const root = join(import.meta.dirname, '..')

/**
 * Returns what to do before images can be built and started; undefined if Docker and its plugins are ready.
 */
export function dockerProblem(): string | undefined {
  const answers = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8', timeout: 20_000 })
  const docker = answers('version', '--format', '{{.Server.Version}}')
  if (docker.error !== undefined && 'code' in docker.error && docker.error.code === 'ENOENT')
    return 'Docker is not installed. Install Docker Engine 25 or newer, or Docker Desktop, then try again.'
  if (docker.status !== 0)
    return `Docker does not respond (${(docker.stderr ?? '').trim().split('\n').at(-1)}). Start it, then try again.`
  for (const plugin of ['buildx', 'compose'])
    if (answers(plugin, 'version').status !== 0)
      return `Docker has no ${plugin}. Install its ${plugin} plugin, then try again.`
  return undefined
}

/**
 * Builds all images, unless they are of the present commit (`npm run images -- --changed`), in the same terminal. Returns
 * the exit code.
 */
export const buildChangedImages = (): number =>
  spawnSync(process.execPath, ['images/build.ts', '--changed'], { cwd: root, stdio: 'inherit' }).status ?? 1

/** Runs `docker` in the root of the project, in the same terminal. Returns its exit code. */
export const docker = (args: string[], env?: NodeJS.ProcessEnv) => run('docker', args, env)

/** Runs any command in the root of the project, in the same terminal. Returns its exit code. */
export async function run(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', env })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

const execute = promisify(execFile)

/**
 * Runs `docker` in the root of the project. Returns its standard output.
 * @throws Error with its standard error if it fails
 */
export async function dockerSays(args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await execute('docker', args, { cwd: root, env, maxBuffer: 100_000_000 })
  return stdout
}

/** Returns the folder of the Docker engine, on its own machine. */
export const dockerRoot = async () => (await dockerSays(['info', '--format', '{{.DockerRootDir}}'])).trim()

/** A setting of Compose: hundreds of containers that start at once would keep each other from it. */
export const someAtOnce = { COMPOSE_PARALLEL_LIMIT: '16' }
