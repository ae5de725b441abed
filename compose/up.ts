import { dockerSays, docker } from '../images/docker.ts'
import { domainNames, functions } from '../functions/table.ts'

/** How many functions are started at once. Two cores that start more are busy with their health checks alone. */
const atOnce = 32

/**
 * Starts or recreates what is out of date, and waits until it is healthy: first what functions need, then some functions at
 * a time, because hundreds of containers that start at once keep each other from it.
 * @param compose the arguments of docker that name the Compose files and profiles
 * @param options of `docker compose up`, for each part
 * @returns docker's exit code
 */
export async function up(compose: string[], env: NodeJS.ProcessEnv, options: string[] = []): Promise<number> {
  const services = (await dockerSays([...compose, 'config', '--services'], env)).split('\n').filter(Boolean)
  const named = new Set<string>([...Object.keys(functions), ...domainNames])
  const start = (names: string[], ...more: string[]) =>
    docker([...compose, 'up', '--detach', '--wait', ...options, ...more, ...names], env)

  let code = await start(
    services.filter((name) => !named.has(name)),
    '--remove-orphans',
  )
  const ours = services.filter((name) => named.has(name))
  // what they depend on is there, and the job that migrates would run again
  while (code === 0 && ours.length > 0) code = await start(ours.splice(0, atOnce), '--no-deps')
  return code
}
