/** What differs from cluster to cluster: how images get into it, and how one gets to the gateway. */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { run } from '../images/docker.ts'
import { freePort } from '../local/ports.ts'
import { get, kubectl } from './kubectl.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

/** How the cluster gets images: `name` is what they are called there. */
export interface Images {
  name: (image: string, tag: string) => string
  load: (images: string[]) => Promise<void>
}

/**
 * How images get into the cluster that KUBECONFIG names.
 * @param registry where they are pushed to, such as ghcr.io/me; without it they are copied into kind, minikube, or by
 *   the command in IMAGE_LOADER, which is given their names
 * @throws UserError if it is none of these
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
      `How do images get into the cluster ${context}? Give --registry ghcr.io/you, or set IMAGE_LOADER to a command.`,
    )
  return {
    // Knative looks up no digest of what is under this name
    name: (image, tag) => `dev.local/${image}:${tag}`,
    load: (images) => must(command, [...args, ...images]),
  }
}

async function must(command: string, args: string[]): Promise<void> {
  const code = await run(command, args)
  if (code !== 0) throw new UserError(`${command} ${args.slice(0, 2).join(' ')} … ended with ${code}.`)
}

interface Service {
  spec: { clusterIP: string }
  status: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

/** Where tests and benchmarks reach the gateway: SHOP_URL, the Service itself, or a port-forward to it. */
export const reachGateway = async (namespace: string): Promise<string> =>
  process.env['SHOP_URL'] ?? (await gatewayUrl(namespace)) ?? (await forwardGateway(namespace))

/** The gateway's address from here; undefined where only a port-forward leads to it. */
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
 * The gateway's address by way of kubectl port-forward, for a cluster whose Services lead nowhere from here. It is begun
 * again where its pod ends, and ends with this process.
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
  throw new UserError('kubectl port-forward does not reach the gateway.')
}
