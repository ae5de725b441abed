/** An overlay with the components that a deployment adds to it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { root } from '../images/docker.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { kubectl } from './kubectl.ts'

export interface Resource {
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  data?: Record<string, string>
}

export interface Image {
  name: string
  newName: string
  newTag: string
}

const componentsFolder = join(import.meta.dirname, 'components')

/**
 * Returns the folders of the components that `--with` names: by their names in knative/components, or, if they contain a
 * slash, by their paths.
 * @throws UserError if there is no such component
 */
export function componentsOf(names: string): string[] {
  const known = readdirSync(componentsFolder)
  return names.split(',').map((name) => {
    if (name.includes('/')) return resolve(root, name)
    if (!known.includes(name))
      throw new UserError(
        `There is no component ${name}. --with takes ${known.join(', ')}, or the path of a folder with another.`,
      )
    return join(componentsFolder, name)
  })
}

/** Whether one of these folders of components has this name. */
export const includes = (folders: readonly string[], name: string): boolean =>
  folders.some((folder) => basename(folder) === name)

/** An overlay, as its kustomization.yaml says. */
interface Overlay {
  folder: string
  namespace: string
  components: readonly string[]
}

/** @throws UserError if there is no such overlay, or it has no namespace */
export function readOverlay(name: string): Overlay {
  const overlays = join(import.meta.dirname, 'overlays')
  if (!readdirSync(overlays).includes(name))
    throw new UserError(`There is no overlay ${name}. Use one of ${readdirSync(overlays).join(', ')}.`)
  const folder = join(overlays, name)
  const { namespace, components = [] } = parse(
    readFileSync(join(folder, 'kustomization.yaml'), 'utf8'),
  ) as Partial<Overlay>
  if (namespace === undefined) throw new UserError(`The overlay ${name} has no namespace.`)
  return { folder, namespace, components }
}

interface Additions {
  /** The folders of the components. If they monitor the shop, the stores of the overlay are monitored, too. */
  components: readonly string[]
  images: readonly Image[]
  /** The file of grafana/alertmanager that says where alerts go. */
  alertsTo?: string | undefined
}

/** Returns the kustomization of an overlay with additions, in the folder `at`. */
export function withAdditions(
  { folder, namespace, components }: Overlay,
  { components: more, images, alertsTo }: Additions,
  at: string,
) {
  const isMonitored = includes(more, 'monitoring')
  const exporters =
    isMonitored && includes(components, 'stores') ? [join(componentsFolder, 'store-exporters')] : []
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(at, folder)],
    images,
    ...(more.length > 0 && {
      // that of the overlay does not reach what components add
      namespace,
      components: [...more, ...exporters].map((component) => relative(at, component)),
    }),
    ...(isMonitored &&
      alertsTo !== undefined && {
        patches: [replacing({ kind: 'ConfigMap', name: 'alerts' }, '/data/ALERTS_TO', alertsTo)],
      }),
  }
}

/** Returns the kustomization of the collector of a shop's logs, in the folder `at`. Its namespace is named after the shop's. */
export const logCollectorOf = (namespace: string, at: string) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  namespace: logNamespaceOf(namespace),
  resources: [relative(at, join(import.meta.dirname, 'log-collector'))],
  patches: [
    replacing({ kind: 'DaemonSet' }, '/spec/template/spec/containers/0/env/0/value', namespace),
    replacing({ kind: 'Service' }, '/spec/externalName', `victoria-logs.${namespace}.svc.cluster.local`),
  ],
})

export const logNamespaceOf = (namespace: string): string => `${namespace}-logs`

const replacing = (target: { kind: string; name?: string }, path: string, value: string) => ({
  target,
  patch: stringify([{ op: 'replace', path, value }]),
})

/** Returns the folder of a kustomization that is made for a deployment. */
export const generatedFolder = (name: string): string => join(root, '.data/knative', name)

/** Returns the resources of a kustomization, which is written to a folder. */
export async function render(folder: string, kustomization: object): Promise<Resource[]> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization))
  const text = await kubectl(['kustomize', folder])
  return parseAllDocuments(text).map((document) => document.toJS() as Resource)
}
