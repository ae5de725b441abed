import { execFile, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const root = join(import.meta.dirname, '..')

/** What has to be done before anything can be built or started; undefined where Docker is there with what is needed. */
export function dockerProblem(): string | undefined {
  const answers = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8', timeout: 20_000 })
  const docker = answers('version', '--format', '{{.Server.Version}}')
  if (docker.error !== undefined && 'code' in docker.error && docker.error.code === 'ENOENT')
    return 'Docker is not installed. Install Docker Engine 25 or newer, or Docker Desktop, then try again.'
  if (docker.status !== 0)
    return `Docker does not answer (${(docker.stderr ?? '').trim().split('\n').at(-1)}). Start it, then try again.`
  for (const plugin of ['buildx', 'compose'])
    if (answers(plugin, 'version').status !== 0)
      return `Docker has no ${plugin}. Install its ${plugin} plugin, then try again.`
  return undefined
}

/** Runs `docker` in the root of the project, with our terminal; resolves with its exit code. */
export const docker = (args: string[], env?: NodeJS.ProcessEnv) => run('docker', args, env)

/** The same for any command. */
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

/** What `docker` says on standard output. @throws where it fails, with what it says of it */
export async function dockerSays(args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await execute('docker', args, { cwd: root, env, maxBuffer: 100_000_000 })
  return stdout
}
