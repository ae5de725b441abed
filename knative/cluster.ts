/** What depends on the kind of cluster: how images get into it, and how to reach the gateway. */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { run } from '../images/docker.ts'
import { freePort } from '../local/ports.ts'
import { get, kubectl } from './kubectl.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

/** How the cluster gets images. `name` returns the name that an image has in the cluster. */
export interface Images {
  name: (image: string, tag: string) => string
  load: (images: string[]) => Promise<void>
}

/**
 * Returns how images get into the cluster of KUBECONFIG.
 * @param registry the registry to push them to, such as ghcr.io/me. Without it, they are loaded with the
 *   command in IMAGE_LOADER, which gets their names as arguments, or into kind or minikube.
 * @throws UserError if the cluster is none of these
 */
export async function imagesOf(registry: string | undefined): Promise<Images> {
  if (registry !== undefined)
    return {
      name: (image, tag) => `${registry}/${image}:${tag}`,
      load: async (images) => {
        for (const image of images) await must('docker', ['push', '--quiet', image])
      },
    }
  const context = (await kubectl(['config', 'current-context'])).trim()
  const loader = process.env['IMAGE_LOADER']?.split(' ')
  const [command, ...args] =
    loader ??
    (context.startsWith('kind-')
      ? ['kind', 'load', 'docker-image', '--name', context.slice('kind-'.length)]
      : context === 'minikube'
        ? ['minikube', 'image', 'load']
        : [])
  if (command === undefined)
    throw new UserError(
      `Cannot load images into the cluster ${context}. Set --registry ghcr.io/you, or set IMAGE_LOADER to a command.`,
    )
  return {
    // Knative does not resolve the digests of images with this prefix
    name: (image, tag) => `dev.local/${image}:${tag}`,
    load: (images) => must(command, [...args, ...images]),
  }
}

async function must(command: string, args: string[]): Promise<void> {
  const code = await run(command, args)
  if (code !== 0)
    throw new UserError(`${command} ${args.slice(0, 2).join(' ')} … failed with exit code ${code}.`)
}

interface Service {
  spec: { clusterIP: string }
  status: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

/**
 * Returns the address at which tests and benchmarks reach the gateway: SHOP_URL, the Service itself, or a
 * port-forward to it.
 */
export const reachGateway = async (namespace: string): Promise<string> =>
  process.env['SHOP_URL'] ?? (await gatewayUrl(namespace)) ?? (await forwardGateway(namespace))

/** Returns the gateway's address; undefined if it can be reached only through a port-forward. */
export async function gatewayUrl(namespace: string): Promise<string | undefined> {
  const { spec, status } = await get<Service>(['service', 'gateway', '-n', namespace])
  const [ingress] = status.loadBalancer?.ingress ?? []
  const host = ingress?.hostname ?? ingress?.ip
  if (host !== undefined) return `http://${host}`
  return (await answers(spec.clusterIP, 80)) ? `http://${spec.clusterIP}` : undefined
}

const answers = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 })
    const done = (is: boolean) => () => resolve(is) ?? socket.destroy()
    socket.on('connect', done(true)).on('error', done(false)).on('timeout', done(false))
  })

/**
 * Runs kubectl port-forward, for a cluster whose Services cannot be reached from this machine. It is started
 * again if its pod ends, and stopped when this process exits.
 * @returns the local address of the gateway
 */
async function forwardGateway(namespace: string): Promise<string> {
  const port = await freePort()
  const forward = () => {
    const args = ['port-forward', '-n', namespace, 'service/gateway', `${port}:80`]
    const child = spawn('kubectl', args, { stdio: 'ignore' })
    const end = () => child.kill()
    process.once('exit', end)
    child.once('exit', () => {
      process.off('exit', end)
      setTimeout(forward, 500).unref()
    })
    child.unref()
  }
  forward()
  for (let tries = 0; tries < 100; tries++) {
    if (await answers('127.0.0.1', port)) return `http://127.0.0.1:${port}`
    await pause(200)
  }
  throw new UserError('The gateway cannot be reached with kubectl port-forward.')
}
