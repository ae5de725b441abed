import { dockerSays, docker } from '../images/docker.ts'
import { domainNames, functions } from '../functions/table.ts'

/** How many functions are started at once. Two cores that start more are busy with their health checks alone. */
const atOnce = 32

/** Starts last, because what it cannot deliver while functions start is tried again only after a while. */
const last = 'dispatcher'

/**
 * Starts or recreates what is out of date, and waits until it is healthy: first what functions need, then some functions at
 * a time, because hundreds of containers that start at once keep each other from it, and in the end the dispatcher.
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
    services.filter((name) => !named.has(name) && name !== last),
    '--remove-orphans',
  )
  const ours = services.filter((name) => named.has(name))
  const groups = Array.from({ length: Math.ceil(ours.length / atOnce) }, (_, i) =>
    ours.slice(i * atOnce, (i + 1) * atOnce),
  )
  // what they depend on is there, and the job that migrates would run again
  for (const group of [...groups, [last]]) if (code === 0) code = await start(group, '--no-deps')
  return code
}
