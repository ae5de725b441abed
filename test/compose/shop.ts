import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { buildChangedImages, docker, dockerSays, someAtOnce } from '../../images/docker.ts'
import { secretsFolder } from '../../compose/secrets.ts'
import { up } from '../../compose/up.ts'
import { testClient } from '../client.ts'

export interface Container {
  Name: string
  State: { Pid: number; ExitCode: number; Status: string; Health?: { Status: string } }
  RestartCount: number
  Image: string
}

/** Builds all images, unless they are of the present commit. */
export function buildImages(): void {
  if (buildChangedImages() !== 0) throw new Error('the images could not be built')
}

/**
 * Returns a shop in containers. Its own name and ports keep it apart from other shops on this machine.
 * @param files its Compose files, in the folder `compose`
 */
export function composeShop(
  name: string,
  files: string | readonly string[],
  port: number,
  more: NodeJS.ProcessEnv = {},
) {
  const environment = {
    ...process.env,
    COMPOSE_PROJECT_NAME: name,
    ...someAtOnce,
    // tests send more than people do
    LIMITS_FACTOR: '0',
    HTTP_PORT: String(port),
    HTTPS_PORT: String(port + 1),
    MAIL_PORT: String(port + 2),
    // a customer orders without end, also while nothing is paid
    UNPAID_PIECES: '1000000',
    ...more,
  }
  const url = `https://localhost:${environment.HTTPS_PORT}`
  const args = ['compose', ...[files].flat().flatMap((file) => ['-f', `compose/${file}`])]

  /** Runs a command of docker compose. */
  const compose = (...more: string[]) => dockerSays([...args, ...more], environment)

  const rootCertificate = () =>
    compose('exec', '-T', 'gateway', 'cat', '/data/caddy/pki/authorities/local/root.crt')

  /** Returns the containers of a service. */
  async function containers(service: string): Promise<Container[]> {
    const ids = (await compose('ps', '--all', '--quiet', service)).split('\n').filter(Boolean)
    // printed by docker
    return ids.length === 0 ? [] : (JSON.parse(await dockerSays(['inspect', ...ids])) as Container[])
  }

  async function container(service: string): Promise<Container> {
    const [found] = await containers(service)
    if (found === undefined) throw new Error(`${service} has no container`)
    return found
  }

  return {
    url,
    plainUrl: `http://localhost:${port}`,
    environment,
    compose,
    container,
    containers,
    /** Returns the certificate of the gateway's own authority. */
    rootCertificate,

    /** Starts or recreates outdated containers, and waits until all are healthy. */
    up: (...more: string[]) => compose('up', '--detach', '--wait', '--no-build', ...more),

    /** Starts everything from nothing. If that fails, prints the containers' logs. */
    async start() {
      const show = (...more: string[]) => docker([...args, ...more], environment)
      await compose('down', '--volumes', '--remove-orphans')
      if ((await up([...args, '--progress', 'quiet'], environment, ['--no-build'])) === 0) return
      await show('ps', '--all')
      await show('logs', '--tail', '5')
      throw new Error('the shop did not start')
    },

    /** Removes containers, networks and volumes. */
    remove: () => compose('down', '--volumes', '--remove-orphans'),

    /** Returns a client. From then on, the gateway's certificate is trusted. */
    async client() {
      setDefaultCACertificates([...getCACertificates('default'), await rootCertificate()])
      return testClient(url, readFileSync(join(secretsFolder, 'demo-password'), 'utf8').trim())
    },

    /**
     * Kills the first process of a service's container, like a crash, and waits until it is restarted. Docker
     * does not restart a container after `docker kill`. The signal comes from a container that sees the
     * host's processes, so that this also works if Docker runs in a virtual machine.
     */
    async crash(service: string): Promise<void> {
      const { Name, State, RestartCount } = await container(service)
      const asRoot = '--pid host --user 0 --network none --entrypoint bash postgres:18'
      await dockerSays([...`run --rm ${asRoot} -c`.split(' '), `kill -9 ${State.Pid}`])
      for (let tries = 0; tries < 300; tries++) {
        // printed by docker
        const [now] = JSON.parse(await dockerSays(['inspect', Name])) as Container[]
        if (now!.RestartCount > RestartCount && now!.State.Status === 'running') return
        await pause(100)
      }
      throw new Error(`${service} was not restarted`)
    },

    /** Waits until every container of a service is healthy. */
    async healthy(service: string): Promise<void> {
      for (let tries = 0; tries < 600; tries++) {
        const all = await containers(service)
        if (all.length > 0 && all.every(({ State }) => State.Health?.Status === 'healthy')) return
        await pause(100)
      }
      throw new Error(`${service} did not become healthy: ${await compose('logs', '--tail', '5', service)}`)
    },

    /** Runs a script with a container's Node. */
    inside: async ({ Name }: Container, script: string): Promise<string> =>
      (await dockerSays(['exec', Name, '/nodejs/bin/node', '-e', script])).trim(),

    /** Sends a GET over HTTP/2. Returns the status and the protocol. */
    async getOverHttp2(path: string) {
      const session = connect(url, { ca: await rootCertificate() })
      const stream = session.request({ ':path': path })
      const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
        session.once('error', reject)
        stream.once('error', reject).once('response', resolve)
      })
      const protocol = session.alpnProtocol
      session.destroy()
      return { status: headers[':status'], protocol }
    },
  }
}

/** The shop that global-setup.ts starts. */
export const shop = composeShop('zeroshop-test', 'compose.yaml', 18_180)
