import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dockerSays } from '../images/docker.ts'
import { imagesOf } from '../knative/cluster.ts'
import { get, kubectl } from '../knative/kubectl.ts'
import { ksvcOf, namespace, untilReady } from './cluster.ts'
import { root } from './harness.ts'

interface Service {
  metadata: { name: string; labels: Record<string, string> }
  spec: {
    template: {
      metadata: { labels: Record<string, string> }
      spec: { containers: [{ image: string }] }
    }
  }
}

const label = 'app.kubernetes.io/name'

/**
 * Deploys static Go servers whose Knative Services equal that of `get-product`: annotations, resources, probe, mounts
 * and the labels by which network policies select pods. Only the name and the image differ.
 */
export async function deployGoServers(names: string[]): Promise<void> {
  const image = await buildImage()
  const { spec } = await get<Service>(ksvcOf('get-product'))
  const services = names.map((name) => {
    const { template } = structuredClone(spec)
    template.metadata.labels[label] = name
    template.spec.containers[0].image = image
    const metadata = { name, namespace, labels: { [label]: name } }
    return { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata, spec: { template } }
  })
  await kubectl(['apply', '-f', '-'], services.map((service) => JSON.stringify(service)).join('\n---\n'))
  for (const name of names) await untilReady(name)
}

export const removeGoServers = (names: string[]) =>
  kubectl(['delete', 'services.serving.knative.dev', ...names, '-n', namespace, '--ignore-not-found'])

/** Builds the server's image and loads it into the cluster. Returns the image's name there. */
async function buildImage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'go-server-'))
  try {
    cpSync(join(root, 'bench/raw/server.go'), join(folder, 'main.go'))
    writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY server /server\nENTRYPOINT ["/server"]\n')
    const build = ['build', '-ldflags=-s -w', '-o', 'server', 'main.go']
    await promisify(execFile)('go', build, { cwd: folder, env: { ...process.env, CGO_ENABLED: '0' } })
    const images = await imagesOf(undefined)
    const image = images.name('zeroshop/go-server', 'bench')
    await dockerSays(['build', '--quiet', '--tag', image, folder])
    await images.load([image])
    await dockerSays(['image', 'rm', image])
    return image
  } finally {
    rmSync(folder, { recursive: true })
  }
}
