/** Runs the autoscaler of local/activator against simulated calls, on a virtual clock. Pure. */
import { createAutoscaler } from '../../local/activator/autoscaler.ts'
import { poisson } from './load.ts'

/** What a call costs, and how its function scales. */
export interface Work {
  cpuMs: number
  /** How long a call is in flight if nothing else runs in its pod, in ms. */
  ms: number
  concurrency: number
  minScale: number
  maxScale: number
  /** How many calls are in flight at most; further ones wait where the autoscaler does not see them. */
  atOnce: number
  /** From starting a pod until it is ready, in ms. */
  startMs: number
  /** The use of CPU of one pod, in cores, at which the HPA adds another; undefined if the KPA scales it. */
  cpuTarget: number | undefined
}

export interface Load {
  seconds: number
  /** Calls per second. */
  rateAt: (second: number) => number
  /** What happens before is not counted. */
  countFrom?: number
}

export interface Outcome {
  calls: number
  podSeconds: number
  /** The same if one pod ran at least. */
  warmPodSeconds: number
  mostPods: number
  /** Calls that came when no pod was ready. */
  coldCalls: number
  /** The longest time that a call waited for CPU, in s. */
  longestWait: number
}

/** The KPA decides every 2 s. */
const stepSeconds = 2

/** Simulates one function. A pod has one CPU, as its limit says. */
export function simulate(work: Work, load: Load, random: () => number): Outcome {
  const { minScale, maxScale, startMs } = work
  const scaler = work.cpuTarget === undefined ? createAutoscaler(work) : undefined
  const outcome = { calls: 0, podSeconds: 0, warmPodSeconds: 0, mostPods: 0, coldCalls: 0, longestWait: 0 }
  let ready = minScale
  /** When the pods that are starting will be ready, in ms, ascending. */
  let starting: number[] = []
  let waiting = 0
  let seen = 0

  const scaleTo = (wanted: number, now: number) => {
    for (let pods = ready + starting.length; pods < wanted; pods++) starting.push(now + startMs)
    if (ready + starting.length > wanted) {
      starting = starting.slice(0, Math.max(0, wanted - ready))
      ready = Math.min(ready, wanted)
    }
  }

  for (let second = 0; second < load.seconds; second += stepSeconds) {
    const now = second * 1000
    while (starting[0] !== undefined && starting[0] <= now) {
      starting.shift()
      ready++
    }

    const arrived = poisson(load.rateAt(second) * stepSeconds, random)
    const isCold = ready === 0 && arrived > 0
    const { inFlight, left, wait } = serve(work, ready, waiting + arrived, waiting)
    waiting = left
    if (scaler === undefined) scaleTo(byCpu(work, load.rateAt(second)), now)
    else if (inFlight > 0 || seen > 0 || ready + starting.length > minScale) {
      scaler.observe(now, inFlight)
      // a call that finds no pod is not kept waiting for the next tick
      if (isCold && starting.length === 0) scaleTo(scaler.decide(now, ready).desired, now)
      scaleTo(scaler.decide(now + stepSeconds * 1000, ready).desired, now + stepSeconds * 1000)
    }
    seen = inFlight

    if (second < (load.countFrom ?? 0)) continue
    const pods = ready + starting.length
    outcome.calls += arrived
    outcome.podSeconds += pods * stepSeconds
    outcome.warmPodSeconds += Math.max(1, pods) * stepSeconds
    outcome.mostPods = Math.max(outcome.mostPods, pods)
    if (isCold) outcome.coldCalls += arrived
    outcome.longestWait = Math.max(outcome.longestWait, wait)
  }
  return outcome

  function byCpu({ cpuMs, cpuTarget = 1 }: Work, rate: number): number {
    return Math.min(maxScale, Math.max(minScale, Math.ceil((rate * cpuMs) / 1000 / cpuTarget)))
  }
}

/**
 * Serves calls for a step. A pod shares its CPU among its calls, so that at a utilisation ρ there are ρ / (1 - ρ) of them
 * on average (M/G/1 with processor sharing: Kleinrock, 1967), and those that wait for a store besides.
 * @param calls how many there are, of which `waited` are from the step before
 */
export function serve(work: Work, ready: number, calls: number, waited: number) {
  const { cpuMs, ms, concurrency, atOnce } = work
  const perPod = stepSeconds / (Math.max(cpuMs, ms / concurrency) / 1000)
  const served = Math.min(calls, ready * perPod, (atOnce / (ms / 1000)) * stepSeconds)
  const left = calls - served
  const atStores = (served / stepSeconds) * (Math.max(0, ms - cpuMs) / 1000)
  const use = ready === 0 ? 0 : (served * cpuMs) / 1000 / stepSeconds / ready
  const onCpu = use < 1 ? Math.min(served, (ready * use) / (1 - use)) : 0
  return {
    inFlight: Math.min(atOnce, atStores + onCpu + (left + waited) / 2),
    left,
    /** How long the last of them waits, in s. */
    wait: ready === 0 ? 0 : (left / (ready * perPod)) * stepSeconds,
  }
}
