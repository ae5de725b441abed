// Knative's pod autoscaler (KPA) for one function, without the cluster: concurrency in, number of processes out.

/** Averages are kept in 60 buckets: one second each at the default window, as in the KPA. */
const BUCKETS = 60
const TARGET_UTILIZATION = 0.7
const PANIC_WINDOW_SHARE = 0.1
const PANIC_THRESHOLD = 2
const MAX_SCALE_UP_RATE = 1000
const MAX_SCALE_DOWN_RATE = 2
/** What the KPA takes as the target of a function without a limit (`containerConcurrency: 0`). */
const UNLIMITED_TARGET = 100

export interface AutoscalerOptions {
  /** Requests one instance takes at once (Knative's `containerConcurrency`); 0 is no limit. */
  concurrency: number
  minScale: number
  maxScale: number
  /** The stable window in seconds; the panic window is a tenth of it. */
  windowSeconds?: number
}

export interface Decision {
  /** The `now` it was taken at, in milliseconds. */
  at: number
  ready: number
  desired: number
  panic: boolean
  /** Average concurrency over the stable and over the panic window. */
  stableAverage: number
  panicAverage: number
  /** For a person: `panic: 12.0 concurrent over 6 s wants 18 ≥ 2 × 3 ready`. */
  reason: string
}

export interface Autoscaler {
  /** Tells that from `now` on, `concurrency` requests are in flight or waiting. */
  observe(now: number, concurrency: number): void
  /** Counts as traffic, so that an instance warmed by hand lives for a window. */
  touch(now: number): void
  /** Average concurrency over the stable and over the panic window. */
  averages(now: number): { stable: number; panic: number }
  /** How many instances there should be, when `ready` of them are. */
  decide(now: number, ready: number): Decision
}

/**
 * The KPA's algorithm, deterministic: no timers, every call is told the time (milliseconds, any epoch, never backwards).
 *
 * Source: https://knative.dev/docs/serving/autoscaling/kpa-specific/ and `pkg/autoscaler/scaling/autoscaler.go` of
 * knative/serving. It differs in one point: in the first bucket after idleness there is no average yet, so it decides
 * by the requests that are there, at an instance's full concurrency. One cold request starts one process, not two.
 */
export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { minScale, windowSeconds = 60 } = options
  const maxScale = Math.max(1, options.maxScale)
  const capacity = options.concurrency > 0 ? options.concurrency : UNLIMITED_TARGET
  const target = capacity * TARGET_UTILIZATION
  const windowMs = windowSeconds * 1000
  const bucketMs = windowMs / BUCKETS
  const panicBuckets = Math.max(1, Math.round(BUCKETS * PANIC_WINDOW_SHARE))
  const panicSeconds = windowSeconds * PANIC_WINDOW_SHARE

  /** Each bucket's concurrency × milliseconds; `bucket` is the number of the current one since the epoch. */
  const areas = new Float64Array(BUCKETS)
  let bucket = 0
  let current = 0
  let observedUntil = -Infinity
  let historySince = -Infinity
  let trafficUntil = -Infinity
  /** As `trafficUntil`, but being touched counts. */
  let busyUntil = -Infinity
  let panicAt: number | undefined
  let panicFloor = 0

  function advance(now: number): void {
    if (now <= observedUntil) return
    const nowBucket = Math.floor(now / bucketMs)
    if (nowBucket - bucket >= BUCKETS) {
      areas.fill(current * bucketMs)
      areas[nowBucket % BUCKETS] = current * (now - nowBucket * bucketMs)
    } else {
      while (bucket < nowBucket) {
        const end = (bucket + 1) * bucketMs
        addUntil(end)
        observedUntil = Math.max(observedUntil, end)
        bucket += 1
        areas[bucket % BUCKETS] = 0
      }
      addUntil(now)
    }
    bucket = nowBucket
    observedUntil = now
    if (current > 0) {
      trafficUntil = now
      busyUntil = now
    }
  }

  function addUntil(end: number): void {
    if (current === 0 || end <= observedUntil) return
    areas[bucket % BUCKETS] = (areas[bucket % BUCKETS] ?? 0) + current * (end - observedUntil)
  }

  function average(now: number, buckets: number): number {
    const since = Math.max(historySince, (bucket - buckets + 1) * bucketMs)
    if (now - since <= 0) return current
    let area = 0
    for (let i = 0; i < buckets; i += 1) area += areas[(bucket - i + BUCKETS) % BUCKETS] ?? 0
    return area / (now - since)
  }

  function isIdle(now: number): boolean {
    return current === 0 && now - busyUntil >= windowMs
  }

  function averages(now: number): { stable: number; panic: number } {
    advance(now)
    if (isIdle(now)) return { stable: 0, panic: 0 }
    return { stable: average(now, BUCKETS), panic: average(now, panicBuckets) }
  }

  function observe(now: number, concurrency: number): void {
    advance(now)
    if (concurrency > 0) {
      if (now - trafficUntil >= windowMs) {
        // As the KPA does after a window without a report: yesterday's silence must not thin out today's average.
        areas.fill(0)
        historySince = now
        bucket = Math.floor(now / bucketMs)
        observedUntil = now
      }
      trafficUntil = Math.max(trafficUntil, now)
      busyUntil = Math.max(busyUntil, now)
    }
    current = concurrency
  }

  function decide(now: number, ready: number): Decision {
    advance(now)
    const idle = isIdle(now)
    const young = !idle && now - historySince < bucketMs
    const { stable: stableAverage, panic: panicAverage } = averages(now)
    const base = Math.max(1, ready)
    const wants = (value: number): number =>
      idle ? 0 : Math.max(1, young ? divideUp(current, capacity) : divideUp(value, target))
    const wantsStable = wants(stableAverage)
    const wantsPanic = wants(panicAverage)

    const over = wantsPanic / base >= PANIC_THRESHOLD
    if (over) panicAt = now
    else if (panicAt !== undefined && now - panicAt >= windowMs) {
      panicAt = undefined
      panicFloor = 0
    }

    const lowest = Math.floor(base / MAX_SCALE_DOWN_RATE)
    const highest = Math.ceil(base * MAX_SCALE_UP_RATE)
    const stable = clamp(wantsStable, lowest, highest)
    let unbounded = stable
    if (panicAt !== undefined) {
      panicFloor = Math.max(panicFloor, ready, stable, clamp(wantsPanic, lowest, highest))
      unbounded = panicFloor
    }
    const desired = clamp(unbounded, Math.min(minScale, maxScale), maxScale)

    let reason: string
    if (young)
      reason = `${current} ${current === 1 ? 'request' : 'requests'} after idleness, ${capacity} to an instance`
    else if (over) {
      reason = `panic: ${panicAverage.toFixed(1)} concurrent over ${tidy(panicSeconds)} s wants ${wantsPanic} ≥ ${PANIC_THRESHOLD} × ${base} ready`
    } else if (panicAt !== undefined) {
      reason = `panic: keeps ${unbounded} for ${tidy((panicAt + windowMs - now) / 1000)} s more`
    } else if (idle) reason = busyUntil === -Infinity ? 'never used' : `idle for ${tidy(windowSeconds)} s`
    else {
      reason = `${stableAverage.toFixed(1)} concurrent over ${tidy(windowSeconds)} s wants ${wantsStable} at ${tidy(target)} each`
      if (stable > wantsStable) reason += `, at most halved to ${stable}`
    }
    if (desired > unbounded) reason += `, min scale ${desired}`
    else if (desired < unbounded) reason += `, max scale ${desired}`

    return { at: now, ready, desired, panic: panicAt !== undefined, stableAverage, panicAverage, reason }
  }

  return {
    observe,
    averages,
    decide,
    touch(now) {
      busyUntil = Math.max(busyUntil, now)
    },
  }
}

/** ⌈a / b⌉, blind to what floating point adds beyond the sixth digit, as the KPA is. */
function divideUp(a: number, b: number): number {
  return Math.ceil(a / b - 1e-6)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

function tidy(value: number): string {
  return String(Math.round(value * 10) / 10)
}
