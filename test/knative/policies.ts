import { parseAllDocuments } from 'yaml'

export interface Resource {
  apiVersion: string
  kind: string
  metadata: { name: string; labels?: Labels }
  spec?: {
    template?: { metadata: { labels: Labels }; spec: Pod }
    podSelector?: Selector
    policyTypes?: string[]
    ingress?: unknown[]
    egress?: { to?: { ipBlock?: object }[]; ports?: { port: number }[] }[]
  }
}

interface Container {
  securityContext?: { capabilities?: object }
}
interface Pod {
  securityContext?: object
  initContainers?: Container[]
  containers: Container[]
}
type Labels = Record<string, string>
interface Selector {
  matchLabels?: Labels
  matchExpressions?: { key: string; operator: 'In' | 'Exists'; values?: string[] }[]
}

/** Returns what kustomize has rendered. */
export const resourcesIn = (manifests: string): Resource[] =>
  parseAllDocuments(manifests).map((document) => document.toJS() as Resource)

export const policiesIn = (resources: Resource[]) =>
  resources.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec!)

/** Returns the labels of each pod, by the name of what makes it. */
export const podsIn = (resources: Resource[]): [name: string, labels: Labels][] =>
  resources.flatMap(({ metadata, spec }) =>
    spec?.template === undefined ? [] : [[metadata.name, spec.template.metadata.labels]],
  )

/** Returns the ports at addresses, and not of pods, to which the policies let a pod connect. */
export const portsOutside = (policies: ReturnType<typeof policiesIn>, labels: Labels): number[] =>
  policies
    .filter(({ podSelector }) => selects(podSelector!, labels))
    .flatMap(({ egress = [] }) => egress)
    .filter(({ to = [] }) => to.some(({ ipBlock }) => ipBlock !== undefined))
    .flatMap(({ ports = [] }) => ports.map(({ port }) => port))
    .toSorted((a, b) => a - b)

const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values = [] }) =>
    operator === 'Exists' ? key in labels : values.includes(labels[key] ?? ''),
  )
