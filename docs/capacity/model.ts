/** What the measured costs, the function table and the manifests say together. Pure, apart from reading the manifests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { habits } from '../../demo/scale/visitors.ts'
import { seeded } from '../../demo/scale/seeded.ts'
import { domains, functions, type FunctionName } from '../../functions/table.ts'
import { peak, rateOf, type Course } from './load.ts'
import type { CallCost, Measured } from './measured.ts'
import { simulate, type Load, type Outcome, type Work } from './simulate.ts'

/** The share of its CPU up to which a pod is used, as the autoscaler's target utilisation. */
export const fullAt = 0.7
/** All functions get the same sequence, as the calls of an order come together. */
const seed = 1

export const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')

/** Returns a setting from a file, such as `max_connections=100` or `storage: 5Gi`. */
export function setting(path: string, name: string): number {
  const [, value] = new RegExp(`\\b${name} ?[=:] ?(\\d+)`).exec(read(path)) ?? []
  if (value === undefined) throw new Error(`${path} does not set ${name}`)
  return Number(value)
}

interface Manifest {
  kind: string
  spec: {
    replicas?: number
    maxReplicas?: number
    hard?: Record<string, string>
    template?: {
      metadata: { annotations?: Record<string, string> }
      spec: { containers: { resources: Record<'requests' | 'limits', { cpu?: string; memory: string }> }[] }
    }
  }
}

const manifestsIn = (path: string) =>
  parseAllDocuments(read(path)).map((document) => document.toJS() as Manifest)

/** Returns `250m` as 0.25 cores, and `2` as 2. */
export const cores = (quantity: string) =>
  quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity)

/** Returns `64Mi` or `1Gi` in MiB. */
export const mib = (quantity: string) => Number(quantity.slice(0, -2)) * (quantity.endsWith('Gi') ? 1024 : 1)

/** What a pod asks for, with its queue-proxy if it has one, and how many there may be of a Deployment. */
export function podOf(path: string) {
  const all = manifestsIn(path)
  const { replicas = 1, template } = all.find(({ spec }) => spec.template !== undefined)!.spec
  const { requests, limits } = template!.spec.containers[0]!.resources
  const sidecar = (what: string) =>
    template!.metadata.annotations?.[`queue.sidecar.serving.knative.dev/${what}-resource-request`]
  return {
    cpuRequest: cores(requests.cpu ?? '0') + cores(sidecar('cpu') ?? '0'),
    memoryRequest: mib(requests.memory) + mib(sidecar('memory') ?? '0Mi'),
    ownCpuRequest: cores(requests.cpu ?? '0'),
    cpuLimit: limits.cpu === undefined ? undefined : cores(limits.cpu),
    replicas: all.find(({ kind }) => kind === 'HorizontalPodAutoscaler')?.spec.maxReplicas ?? replicas,
  }
}

export const quota = () => manifestsIn('knative/base/platform/quota.yaml')[0]!.spec.hard!

export interface Part extends CallCost {
  name: FunctionName
  perOrder: number
}

/** Returns every measured function. Visitors call operations as often for each order as in the scaling demo. */
export const partsOf = (measured: Measured): Part[] =>
  Object.entries(measured.functions).map(([name, cost]) => ({
    ...cost,
    name: name as FunctionName,
    perOrder: cost.perOrder ?? habits[name as keyof typeof habits] / habits['create-order'],
  }))

export const functionPod = (name: string) => podOf(`knative/base/functions/${name}.yaml`)

/** Returns how many cores a function needs at a rate of orders. */
export const coresOf = ({ perOrder, cpuMs }: Part, ordersPerSecond: number) =>
  (ordersPerSecond * perOrder * cpuMs) / 1000

/** Returns the pods that a function needs at a rate of orders, so that none uses more than its share of a core. */
export const podsFor = (part: Part, ordersPerSecond: number) =>
  Math.max(1, Math.ceil(coresOf(part, ordersPerSecond) / fullAt))

/** Returns how many calls a pod has in flight when its CPU is used as much as it should be (see `serve`). */
export const inFlightOf = ({ cpuMs, ms }: CallCost) =>
  fullAt / (1 - fullAt) + (fullAt / cpuMs) * Math.max(0, ms - cpuMs)

/** Simulates a function with a max scale of its own. */
export function scaleOf(part: Part, load: Load, measured: Measured, maxScale: number): Outcome {
  const { scaling, concurrency } = functions[part.name]
  const work: Work = {
    ...part,
    concurrency,
    maxScale,
    minScale: scaling === 'zero' ? 0 : 1,
    atOnce: 'on' in functions[part.name] ? concurrency * maxScale : Infinity,
    startMs: measured.cluster.coldStartMs,
    cpuTarget: scaling === 'cpu' ? fullAt * functionPod(part.name).ownCpuRequest : undefined,
  }
  const { rateAt } = load
  return simulate(work, { ...load, rateAt: (second) => rateAt(second) * part.perOrder }, seeded(seed))
}

/** Returns the load of a course that brings so many orders. It looks up rates that are computed once. */
export function loadOf(course: Course, orders: number): Load {
  const rate = rateOf(course, orders)
  const rates = Float64Array.from({ length: course.seconds }, (_, second) => rate(second))
  return { seconds: course.seconds, rateAt: (second) => rates[second]! }
}

/** Returns the load of an hour at so many orders a second. What comes before that is not counted. */
export const peakLoad = (ordersPerSecond: number): Load => {
  const countFrom = peak.seconds * peak.points[1]![0]
  const load = loadOf(peak, 1)
  const top = load.rateAt(peak.seconds - 1)
  return { ...load, rateAt: (second) => (load.rateAt(second) / top) * ordersPerSecond, countFrom }
}

export interface Limit {
  what: string
  ordersPerSecond: number
  why: string
}

/** Returns what ends at which rate of orders as the shop is configured, the lowest first. */
export function limitsOf(measured: Measured): Limit[] {
  const { services, postgres } = measured
  const pool = setting('compose/pgbouncer.ini', 'default_pool_size')
  const poolers = podOf('knative/components/stores/pgbouncer.yaml').replicas
  const service = (name: 'relay' | 'dispatcher'): Limit => {
    const { replicas, cpuLimit = Infinity } = podOf(`knative/base/platform/${name}.yaml`)
    return {
      what: `\`${name}\``,
      ordersPerSecond: (replicas * cpuLimit * 1000) / services[name],
      why: `${replicas} ${replicas === 1 ? 'pod' : 'pods'} of ${cpuLimit} core, ${services[name]} ms an order`,
    }
  }
  const ofPart = (part: Part): Limit[] => {
    const { maxScale, concurrency } = functions[part.name]
    const { cpuLimit = Infinity } = functionPod(part.name)
    const byCpu = (maxScale * cpuLimit * 1000) / (part.perOrder * part.cpuMs)
    const inFlight = (maxScale * concurrency * 1000) / (part.perOrder * part.ms)
    const why = `max scale ${maxScale}, a core each, ${part.cpuMs} ms a call`
    return [
      { what: `\`${part.name}\``, ordersPerSecond: byCpu, why },
      ...(inFlight < byCpu
        ? [
            {
              what: `\`${part.name}\``,
              ordersPerSecond: inFlight,
              why: `${maxScale * concurrency} calls at once, each ${part.ms} ms`,
            },
          ]
        : []),
    ]
  }
  return [
    service('relay'),
    service('dispatcher'),
    ...partsOf(measured).flatMap(ofPart),
    ...Object.entries(postgres.busyMs)
      .filter(([role]) => role in domains)
      .map(([role, ms]) => ({
        what: `connections of \`${role}\``,
        ordersPerSecond: (poolers * pool * 1000) / ms,
        why: `${poolers * pool} behind PgBouncer, in use for ${ms} ms an order`,
      })),
  ].toSorted((a, b) => a.ordersPerSecond - b.ordersPerSecond)
}

/** Returns how many orders a second can be for one SKU at least, if its row is locked for the whole of a call. */
export const mostForOneSku = ({ functions }: Measured) =>
  1000 / (functions['reserve-stock']!.ms + functions['commit-stock']!.ms)

const names = Object.keys(functions) as FunctionName[]

/** Returns the functions that always have a pod. */
export const alwaysOn = () => names.filter((name) => functions[name].scaling !== 'zero')

export type Outcomes = Map<FunctionName, Outcome>

/** Simulates every function that is measured. */
export const outcomesOf = (measured: Measured, load: Load, maxScaleOf: (part: Part) => number): Outcomes =>
  new Map(partsOf(measured).map((part) => [part.name, scaleOf(part, load, measured, maxScaleOf(part))]))

export interface Saving {
  /** Pod-hours as configured, and with one pod of each function at least. */
  zero: number
  warm: number
  coldCalls: number
  calls: number
}

/** Returns what some hours cost in pods, of all functions of the table. Those that are not measured are not called. */
export function savingOf(outcomes: Outcomes, hours = 24): Saving {
  const isUncalled = (name: FunctionName) => !outcomes.has(name)
  const all = [...outcomes.values()]
  return {
    zero: sum(all, ({ podSeconds }) => podSeconds) / 3600 + alwaysOn().filter(isUncalled).length * hours,
    warm: sum(all, ({ warmPodSeconds }) => warmPodSeconds) / 3600 + names.filter(isUncalled).length * hours,
    coldCalls: sum(all, ({ coldCalls }) => coldCalls),
    calls: sum(all, ({ calls }) => calls),
  }
}

export const sum = <T>(all: readonly T[], of: (one: T) => number) =>
  all.reduce((total, one) => total + of(one), 0)
